/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which GPUs are modelled: those on the PCI bus that are asked for and that nothing measures. */
#include "probing.h"

#include <errno.h>

static const char sensor[] = "tdp";
static const uint64_t second_ns = 1000000000;

static void put_pci(em__host *host, const char *address, const char *vendor, const char *class, const char *driver)
{
    char path[200], target[200];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/vendor", address);
    put(host, path, vendor);
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/class", address);
    put(host, path, class);
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/device", address);
    put(host, path, "0x1eb8\n");
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/driver", address);
    snprintf(target, sizeof target, "../../../../bus/pci/drivers/%s", driver ? driver : "");
    if (driver) {
        em__machine_set_link(host, path, target);
    }
}

/* A rack with two boards, an onboard display, a board under nouveau, and functions of a board that draw nothing. */
static em__host *gpu_machine(const char *const *environment)
{
    em__host *host = NULL;
    if (em__machine_create(0, environment, &host) < 0) {
        abort();
    }
    put(host, "/proc/stat", "cpu 1 2 3 4 5 6 7 8\n");
    put_pci(host, "0000:03:00.0", "0x1a03\n", "0x030000\n", "ast");
    put_pci(host, "0000:3b:00.0", "0x10de\n", "0x030200\n", "nvidia");
    put_pci(host, "0000:3b:00.1", "0x10de\n", "0x040300\n", "snd_hda_intel");
    put_pci(host, "0000:5e:00.0", "0x10de\n", "0x030000\n", "nouveau");
    put_pci(host, "0000:af:00.0", "0x10de\n", "0x030000\n", NULL);
    put_pci(host, "0000:af:00.2", "0x10de\n", "0x0c0330\n", "xhci_hcd");
    put_pci(host, "0000:b0:00.0", "0x10de\n", "0x030100\n", NULL);
    put_pci(host, "0000:00:02.0", "0x8086\n", "0x030000\n", "i915");
    return host;
}

static void test_gpus_on_the_bus(void)
{
    em__host *host = gpu_machine(NULL);
    em__selection selection = everything();
    em__probe probe = {0};
    em__device *device = NULL;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 3);
    const em__channel *first = channel_named(&probe, "gpu-0/model", &device);
    const em__channel *second = channel_named(&probe, "gpu-1/model", NULL);
    if (CHECK(first && second)) {
        CHECK_TEXT(first->pci, "0000:3b:00.0");
        CHECK_TEXT(first->source, "/sys/bus/pci/devices/0000:3b:00.0");
        CHECK_TEXT(first->device_name, "NVIDIA GPU 10de:1eb8");
        CHECK_TEXT(second->pci, "0000:af:00.0");
        CHECK_INT(first->covers, EM__COVERS_BOARD);
        CHECK_INT(first->domain, EM_DOMAIN_GPU);
        CHECK_NEAR(first->gain, 0.25, 0);
        CHECK_INT(first->notes, EM_NOTE_BIT(EM_NOTE_MODEL) | EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT));
        em__machine_set_clock(host, second_ns, 0, 0);
        CHECK_INT(read_one(device).value, 0);
        em__machine_set_clock(host, 3 * second_ns, 0, 0);
        CHECK_INT(read_one(device).value, 292500000); /* 2 s × 225 W × 0.65 */
    }
    em__sensors_free(&probe);
    selection.gpu_tdp_w = 70;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    channel_named(&probe, "gpu-1/model", &device);
    CHECK_NEAR(device->channels[0].tdp_each_w, 70, 0);
    CHECK_TEXT(device->channels[0].tdp_from, "given");
    CHECK_INT(device->channels[0].notes, EM_NOTE_BIT(EM_NOTE_MODEL));
    read_one(device);
    em__machine_set_clock(host, 4 * second_ns, 0, 0);
    CHECK_INT(read_one(device).value, 45500000); /* 1 s × 70 W × 0.65 */
    em__sensors_free(&probe);
    selection.measure = 1u << EM_DOMAIN_CPU;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 1);
    em__sensors_free(&probe);
    selection.measure = 1u << EM_DOMAIN_GPU;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 2);
    CHECK(absence_of(&probe, sensor, EM_ERR_NOT_SELECTED) != NULL);
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void check_model(const em__channel *channel, const char *name, double each_w, const char *from)
{
    if (CHECK(channel != NULL)) {
        CHECK_TEXT(channel->device_name, name);
        CHECK_NEAR(channel->tdp_each_w, each_w, 0);
        CHECK_TEXT(channel->tdp_from, from);
        CHECK(strstr(channel->reason, from) != NULL);
        CHECK_INT(channel->notes & EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT), 0);
    }
}

/* The kernel's driver tells NVIDIA's models without its library, the PCI id some of AMD's: T4 70 W, MI300X 750 W. */
static void test_models_of_the_table(void)
{
    em__host *host = gpu_machine(NULL);
    em__selection selection = everything();
    em__probe probe = {0};
    put_pci(host, "0000:c1:00.0", "0x1002\n", "0x120000\n", "amdgpu");
    put(host, "/sys/bus/pci/devices/0000:c1:00.0/device", "0x74a1\n");
    put(host, "/proc/driver/nvidia/gpus/0000:3b:00.0/information",
        "Model: \t\t Tesla T4\nIRQ:   \t\t 37\nGPU UUID: \t GPU-0\n");
    put(host, "/proc/driver/nvidia/gpus/0000:af:00.0/information", "Model: \t\t NVIDIA A100-SXM4-40GB\n");
    put(host, "/sys/bus/pci/devices/0000:af:00.0/power/runtime_status", "suspended\n");
    CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
    check_model(channel_named(&probe, "gpu-1/model", NULL), "Tesla T4", 70, "tesla t4 (data sheet)");
    check_model(channel_named(&probe, "gpu-0/model", NULL), "AMD GPU 1002:74a1", 750, "instinct mi300x (data sheet)");
    const em__channel *asleep = channel_named(&probe, "gpu-2/model", NULL);
    CHECK(asleep && strcmp(asleep->tdp_from, "default for a GPU") == 0);
    em__sensors_free(&probe);
    selection.gpu_tdp_w = 300;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    check_model(channel_named(&probe, "gpu-0/model", NULL), "Tesla T4", 300, "given");
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_which_gpus_are_asked_for(void)
{
    static const struct {
        const char *visible, *gpus, *expected; /* PCI addresses, each followed by a space */
    } cases[] = {
        {"CUDA_VISIBLE_DEVICES=1", "visible", "0000:af:00.0 "},
        {"CUDA_VISIBLE_DEVICES=", "visible", ""},
        {"CUDA_VISIBLE_DEVICES=-1", "visible", ""},
        {"CUDA_VISIBLE_DEVICES=", "all", "0000:3b:00.0 0000:af:00.0 "},
        {"X=", "1", "0000:af:00.0 "},
        {"LOCAL_RANK=1", "local_rank", "0000:af:00.0 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *environment[] = {cases[i].visible, "CUDA_DEVICE_ORDER=PCI_BUS_ID", NULL};
        em__host *host = gpu_machine(environment);
        em__selection selection = everything();
        em__probe probe = {0};
        char found[100] = "";
        selection.gpus = cases[i].gpus;
        CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
        for (size_t j = 0; j < probe.device_count; j++) {
            if (probe.devices[j]->channels[0].pci[0]) {
                snprintf(found + strlen(found), sizeof found - strlen(found), "%s ", probe.devices[j]->channels[0].pci);
            }
        }
        if (!CHECK_TEXT(found, cases[i].expected)) {
            printf("#   %s %s\n", cases[i].visible, cases[i].gpus);
        }
        em__sensors_free(&probe);
        em__host_unref(host);
    }
    em__host *host = gpu_machine(NULL);
    em__selection selection = everything();
    em__probe probe = {0};
    selection.gpus = "7";
    CHECK_INT(probe_alone(&em__sensor_tdp, host, &selection, &probe), EM_ERR_INVALID);
    CHECK_TEXT(selection.error->argument, "gpus");
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void no_read(em__device *device, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    (void)device;
    out[0] = (em__reading){.outcome = EM__READ_AGAIN};
}

static void free_device(em__device *device)
{
    em__device_free_channels(device);
    free(device);
}

static const em__device_ops measured_ops = {.read = no_read, .destroy = free_device};

static void add_measured(em__probe *probe, const char *pci, int index)
{
    em__device *device = malloc(sizeof *device);
    if (!device || em__device_init(device, &measured_ops, &em__sensor_nvml, 1) != EM_OK) {
        abort();
    }
    snprintf(device->channels[0].pci, sizeof device->channels[0].pci, "%s", pci);
    device->channels[0].domain = EM_DOMAIN_GPU;
    device->channels[0].gpu = index;
    CHECK_INT(em__probe_add(probe, device), EM_OK);
}

/* Where NVML answered, its boards are the ones that programs can use. */
static void test_measured_gpus_are_not_modelled(void)
{
    em__host *host = gpu_machine(NULL);
    em__selection selection = everything();
    em__probe probe = {0};
    add_measured(&probe, "0000:3b:00.0", 0);
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 2); /* the measured one and the CPU */
    em__sensors_free(&probe);
    add_measured(&probe, "0000:3b:00.0", 0);
    selection.gpus = "all";
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 3);
    const em__channel *other = channel_named(&probe, "gpu-1/model", NULL);
    CHECK_TEXT(other ? other->pci : "", "0000:af:00.0");
    em__sensors_free(&probe);
    selection.gpus = "visible";
    em__probe_absent(&probe, &em__sensor_nvml, EM_ERR_NOT_SELECTED, "", "none is visible");
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 1);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* A board of amdgpu that answers no power: what it holds its power to is nearer than any data sheet. */
static void test_the_cap_of_an_unread_board(void)
{
    static const char chip[] = "/sys/class/hwmon/hwmon0", board[] = "/sys/devices/pci0000:00/0000:c1:00.0";
    char path[200];
    em__host *host = empty_machine(0);
    em__selection selection = everything();
    put(host, "/proc/stat", "cpu 1 2 3 4 5 6 7 8\n");
    em__machine_set_link(host, chip, "../../devices/pci0000:00/0000:c1:00.0/hwmon/hwmon0");
    snprintf(path, sizeof path, "%s/hwmon/hwmon0/device", board);
    em__machine_set_link(host, path, "../../../0000:c1:00.0");
    snprintf(path, sizeof path, "%s/uevent", board);
    put(host, path, "DRIVER=amdgpu\nPCI_ID=1002:744C\nPCI_SLOT_NAME=0000:c1:00.0\n");
    snprintf(path, sizeof path, "%s/hwmon/hwmon0/name", board);
    put(host, path, "amdgpu\n");
    snprintf(path, sizeof path, "%s/hwmon/hwmon0/power1_cap", board);
    put(host, path, "303000000\n");
    snprintf(path, sizeof path, "%s/hwmon/hwmon0/power1_average", board);
    CHECK_INT(em__machine_set_file(host, path, "", 0, 0444, EOPNOTSUPP), 0);
    em__probe probe = {0};
    CHECK_INT(em__sensor_amdgpu.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    const em__channel *model = channel_named(&probe, "gpu-0/model", NULL);
    if (CHECK(model != NULL)) {
        CHECK_NEAR(model->tdp_each_w, 303, 0);
        CHECK_TEXT(model->tdp_from, "the board's limit");
    }
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_a_gpu_that_only_the_options_know(void)
{
    em__host *host = empty_machine(0);
    em__selection selection = everything();
    em__probe probe = {0};
    selection.gpu_tdp_w = 200;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 0); /* a TDP conjures no GPU */
    em__sensors_free(&probe);
    selection.present_gpu = 1;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 1);
    CHECK(channel_named(&probe, "gpu-0/model", NULL) != NULL);
    em__sensors_free(&probe);
    selection.gpu_tdp_w = NAN;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_ERR_INVALID);
    CHECK_INT(selection.error->status, EM_ERR_INVALID);
    CHECK_TEXT(selection.error->argument, "device");
    CHECK(strstr(selection.error->text, "libnvidia-ml.so.1") && strstr(selection.error->text, "0x10de"));
    CHECK(strstr(selection.error->remedy, "gpu_tdp_w") != NULL);
    em__sensors_free(&probe);
    em__host_unref(host);
    host = gpu_machine(NULL);
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 3);
    em__sensors_free(&probe);
    em__host_unref(host);
}

int main(void)
{
    RUN(test_gpus_on_the_bus);
    RUN(test_models_of_the_table);
    RUN(test_which_gpus_are_asked_for);
    RUN(test_measured_gpus_are_not_modelled);
    RUN(test_the_cap_of_an_unread_board);
    RUN(test_a_gpu_that_only_the_options_know);
    return CHECK_DONE();
}
