/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVIDIA boards, played by a compiled stand-in: what is read of each, what is refused, and what happens when one goes. */
#include "nvml_rig.h"

#include <pthread.h>

#define UUID_A "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
#define UUID_B "GPU-1c20e77d-1c1a-d9ed-fe37-18b8466a78ad"

static em__reading reading_at(em__host *host, em__device *device, double seconds)
{
    rig_time(host, seconds);
    return read_one(device);
}

/* ------------------------------------------------------------------------------------------------------------ reading */

static void test_two_different_boards(void)
{
    em__probe probe;
    em__host *host = rig_boards("board name=\"NVIDIA H200\" uuid=" UUID_A " pci=00000000:3B:00.0 cc=9.0 watts=300\n"
                                "board name=\"Tesla P100-PCIE-16GB\" uuid=" UUID_B " pci=00000000:D8:00.0 cc=6.0"
                                " energy=no fields=no limit=250 most=250 watts=50:250:2000:25 update_ms=20\n",
                                &probe);
    CHECK_INT(probe.device_count, 2);
    CHECK_INT(probe.absence_count, 0);
    em__device *h200 = NULL, *p100 = NULL;
    em__channel *counter = channel_named(&probe, "gpu-0/board", &h200);
    em__channel *gauge = channel_named(&probe, "gpu-1/board", &p100);
    if (CHECK(counter && gauge)) {
        CHECK_TEXT(h200->sensor, "nvml");
        CHECK_INT(counter->kind, EM_KIND_COUNTER);
        CHECK_INT(counter->domain, EM_DOMAIN_GPU);
        CHECK_INT(counter->covers, EM__COVERS_BOARD);
        CHECK_INT(counter->gpu, 0);
        CHECK_TEXT(counter->source, "nvml:" UUID_A);
        CHECK_TEXT(counter->uuid, UUID_A);
        CHECK_TEXT(counter->pci, "0000:3b:00.0");
        CHECK_TEXT(counter->device_name, "NVIDIA H200");
        CHECK_INT(counter->range, 0);
        CHECK_INT(counter->ceiling_mw, 1400000); /* twice its 700 W */
        CHECK_INT(counter->refresh_ns, 100000000);
        CHECK_NEAR(counter->gain, 0.05, 1e-12);
        CHECK_INT(gauge->kind, EM_KIND_GAUGE);
        CHECK_TEXT(gauge->pci, "0000:d8:00.0");
        CHECK_INT(gauge->refresh_ns, 20000000);
        CHECK_NEAR(gauge->gain, 0.02, 1e-12);

        /* 300 W for 10 s are 3 kJ on top of the 1 kJ that it began with; a counter of 100 ms stands still until 10.1 s. */
        em__reading at = reading_at(host, h200, 10.0);
        CHECK_INT(at.outcome, EM__READ_OK);
        CHECK_INT(at.value * counter->scale_num / counter->scale_den, 4000000000);
        em__reading later = reading_at(host, h200, 10.099);
        CHECK_INT(later.value, at.value);
        CHECK_INT(later.stamp, at.stamp);
        later = reading_at(host, h200, 10.1);
        CHECK_INT(later.value - at.value, 30000);
        CHECK_INT(later.stamp - at.stamp, 100000);

        /* 250 W in the first quarter of every 2 s, 50 W in the rest. */
        CHECK_INT(reading_at(host, p100, 20.4).value * gauge->scale_num / gauge->scale_den, 250000);
        CHECK_INT(reading_at(host, p100, 20.6).value, 50000);
    }
    rig_done(host, &probe);
}

static void test_lost_and_found(void)
{
    em__probe probe;
    em__host *host = rig_boards("board name=\"NVIDIA H200\" uuid=" UUID_A " watts=300\n"
                                "board name=\"NVIDIA A100-SXM4-80GB\" uuid=" UUID_B " watts=200 lost_s=5:65\n",
                                &probe);
    em__device *stays = NULL, *goes = NULL;
    if (CHECK(channel_named(&probe, "gpu-0/board", &stays) && channel_named(&probe, "gpu-1/board", &goes))) {
        CHECK_INT(reading_at(host, goes, 4.9).value, 1000000 + 980000);
        em__reading gone = reading_at(host, goes, 5.0);
        CHECK_INT(gone.outcome, EM__READ_GONE);
        CHECK_INT(gone.status, EM_ERR_GONE);
        CHECK(goes->ops->revive(goes) != 0);
        CHECK_INT(reading_at(host, stays, 5.0).value, 1000000 + 1500000);
        rig_time(host, 65);
        CHECK_INT(goes->ops->revive(goes), 0);
        CHECK_INT(reading_at(host, goes, 66).value, 1000000 + 13200000);
    }
    rig_done(host, &probe);
}

static void test_what_passes_and_what_does_not(void)
{
    static const struct {
        int code, outcome, status;
    } cases[] = {
        {10, EM__READ_AGAIN, EM_ERR_READ},     {999, EM__READ_AGAIN, EM_ERR_READ},
        {16, EM__READ_GONE, EM_ERR_GONE},      {3, EM__READ_GONE, EM_ERR_NOT_SUPPORTED},
        {9, EM__READ_GONE, EM_ERR_NO_DRIVER},  {18, EM__READ_GONE, EM_ERR_VERSION},
        {4, EM__READ_GONE, EM_ERR_PERMISSION}, {2, EM__READ_GONE, EM_ERR_GONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        em__probe probe;
        snprintf(text, sizeof text, "board fail_s=2:3:%d watts=100\n", cases[i].code);
        em__host *host = rig_boards(text, &probe);
        em__device *device = probe.device_count == 1 ? probe.devices[0] : NULL;
        if (CHECK(device)) {
            CHECK_INT(reading_at(host, device, 1.9).outcome, EM__READ_OK);
            em__reading failed = reading_at(host, device, 2.5);
            CHECK_INT(failed.outcome, cases[i].outcome);
            CHECK_INT(failed.status, cases[i].status);
            CHECK_INT(reading_at(host, device, 3.0).value, 1300000);
        }
        rig_done(host, &probe);
    }
}

static void test_driver_reload_and_junk(void)
{
    em__probe probe;
    em__host *host = rig_boards("board watts=100 restart_s=10\n"
                                "board watts=100:9000:1000:50 energy=no limit=no power=yes update_ms=0\n",
                                &probe);
    if (CHECK_INT(probe.device_count, 2)) {
        CHECK_INT(reading_at(host, probe.devices[0], 10.5).value, 50000);
        CHECK_INT(probe.devices[1]->channels[0].ceiling_mw, 3000000);
        CHECK_INT(reading_at(host, probe.devices[1], 1.2).outcome, EM__READ_AGAIN); /* 9 kW from one board */
        CHECK_INT(reading_at(host, probe.devices[1], 1.7).value, 100000);
    }
    rig_done(host, &probe);
}

/* --------------------------------------------------------------------------------------------------------- what exists */

/* Captures of real boards: which of draw, limit and energy each gives, and what is made of that. */
static void test_every_combination(void)
{
    static const struct {
        const char *text, *channel;
        int kind, is_slow, ceiling_w;
    } cases[] = {
        {"board name=\"Tesla P100-PCIE-16GB\" energy=no fields=no limit=250 most=250", "gpu-0/board", EM_KIND_GAUGE, 0,
         1000},
        {"board name=\"NVIDIA GeForce RTX 3060 Laptop GPU\" limit=no", "gpu-0/board", EM_KIND_COUNTER, 1, 3000},
        {"board name=\"NVIDIA GeForce GTX 1050 Ti\" energy=no power=no limit=120", "gpu-0/model", EM_KIND_MODEL, 0, 0},
        {"board name=\"Quadro P400\" energy=no power=no limit=no", "gpu-0/model", EM_KIND_MODEL, 0, 0},
        {"board name=\"Quadro K420\" energy=no power=no limit=no util=no", "gpu-0/model", EM_KIND_MODEL, 0, 0},
        {"board name=\"Xavier (nvgpu)\" energy=no power=no limit=no util=50", NULL, 0, 0, 0},
        {"board name=\"Orin (nvgpu)\" energy=no power=no limit=no util=no pci=ffffffff:0:0", NULL, 0, 0, 0},
        {"board name=\"Tesla V100S-PCIE-32GB\" cc=7.0 limit=250", "gpu-0/board", EM_KIND_COUNTER, 0, 1000},
        {"board name=\"Tesla T4\" cc=7.5 limit=70", "gpu-0/board", EM_KIND_COUNTER, 1, 1000},
        {"board name=\"NVIDIA A100-SXM4-80GB\" cc=8.0 limit=500", "gpu-0/board", EM_KIND_COUNTER, 0, 1000},
        {"board name=\"NVIDIA A10\" cc=8.6 limit=150", "gpu-0/board", EM_KIND_COUNTER, 1, 1000},
        {"board name=\"NVIDIA RTX A1000\" cc=8.6 limit=50", "gpu-0/board", EM_KIND_COUNTER, 1, 1000},
        {"board name=\"NVIDIA H100 80GB HBM3\" limit=500 most=700", "gpu-0/board", EM_KIND_COUNTER, 0, 1400},
        {"board name=\"NVIDIA L40S\" limit=350", "gpu-0/board", EM_KIND_COUNTER, 1, 1000},
        {"board name=\"NVIDIA GB200\" limit=1200", "gpu-0/board", EM_KIND_COUNTER, 0, 2400},
        {"board name=\"NVIDIA GeForce RTX 4090\" limit=450 most=600", "gpu-0/board", EM_KIND_COUNTER, 1, 1200},
        {"board name=\"NVIDIA H200\" fields=no", "gpu-0/board", EM_KIND_COUNTER, 0, 1400},
        {"board name=\"NVIDIA H200\" energy=no", "gpu-0/board", EM_KIND_GAUGE, 0, 1400},
        {"board name=\"junk limit\" limit=4200000", "gpu-0/board", EM_KIND_COUNTER, 1, 3000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_boards(cases[i].text, &probe);
        em__device *device = NULL;
        em__channel *channel = cases[i].channel ? channel_named(&probe, cases[i].channel, &device) : NULL;
        printf("# %s\n", cases[i].text);
        CHECK_INT(probe.device_count, cases[i].channel != NULL);
        CHECK_INT(absence_of(&probe, "nvml", EM_ERR_NOT_SUPPORTED) != NULL,
                  !cases[i].channel || cases[i].kind == EM_KIND_MODEL);
        if (cases[i].channel && CHECK(channel)) {
            CHECK_INT(channel->kind, cases[i].kind);
            CHECK_INT(channel->ceiling_mw, cases[i].ceiling_w * 1000);
            CHECK_INT(channel->interval_ns, cases[i].is_slow ? 1000000000 : 0);
            CHECK_INT((channel->notes & EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER)) != 0, cases[i].is_slow);
            CHECK_INT(device->rank, cases[i].kind == EM_KIND_MODEL ? em__sensor_tdp.rank : em__sensor_nvml.rank);
        }
        rig_done(host, &probe);
    }
}

/* measurement: limit x (0.10 + 0.65 u), else x 0.65; limit live, else gpu_tdp_w, else the
 * data sheet's, else a default. */
static void test_models(void)
{
    static const struct {
        const char *text;
        double given_w, watts;
        int is_default;
    } cases[] = {
        {"board energy=no power=no limit=120 util=50", NAN, 120 * 0.425, 0},
        {"board energy=no power=no limit=120 util=0", 75, 12, 0}, /* a live limit wins over what was given */
        {"board energy=no power=no limit=120 util=no", NAN, 78, 0},
        {"board energy=no power=no limit=no util=100", 200, 150, 0},
        {"board name=\"NVIDIA H100 PCIe\" energy=no power=no limit=no util=100", NAN, 350 * 0.75, 0},
        {"board name=\"Tesla T4\" energy=no power=no limit=no util=no", NAN, 70 * 0.65, 0},
        {"board name=\"Tesla T4\" energy=no power=no limit=no util=no", 100, 65, 0},
        {"board name=\"Tesla T5\" energy=no power=no limit=no util=100", NAN, 225 * 0.75, 1},
        {"board name=\"GRID T4-8C\" energy=no power=no limit=no util=no", NAN, 225 * 0.65, 1},
        {"board energy=no power=no limit=no util=no", 100, 65, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_host(NULL);
        em__selection selection = everything();
        selection.gpu_tdp_w = cases[i].given_w;
        script(cases[i].text);
        CHECK_INT(rig_probe(host, &selection, &probe), EM_OK);
        em__device *device = NULL;
        em__channel *channel = channel_named(&probe, "gpu-0/model", &device);
        if (CHECK(channel)) {
            CHECK_TEXT(device->sensor, "tdp");
            CHECK((channel->notes & EM_NOTE_BIT(EM_NOTE_MODEL)) != 0);
            CHECK_INT((channel->notes & EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT)) != 0, cases[i].is_default);
            CHECK_NEAR(channel->gain, 0.25, 1e-12);
            uint64_t from = reading_at(host, device, 1).value, to = reading_at(host, device, 11).value;
            uint64_t uj = (to - from) * channel->scale_num / channel->scale_den;
            double joules = (double)uj * 1e-6;
            CHECK_NEAR(joules, cases[i].watts * 10, 1e-3);
        }
        rig_done(host, &probe);
    }
}

static void test_model_of_a_lost_board(void)
{
    em__probe probe;
    em__host *host = rig_boards("board energy=no power=no limit=100 util=no lost_s=10:100\n", &probe);
    if (CHECK_INT(probe.device_count, 1)) {
        em__device *device = probe.devices[0];
        reading_at(host, device, 1);
        uint64_t before = reading_at(host, device, 9).value;
        CHECK_INT(reading_at(host, device, 20).outcome, EM__READ_GONE);
        rig_time(host, 100);
        CHECK_INT(device->ops->revive(device), 0);
        CHECK_INT(reading_at(host, device, 101).value - before, 65000000); /* the 90 s away are not made up */
    }
    rig_done(host, &probe);
}

/* ------------------------------------------------------------------------------------------------------ what is refused */

static void test_start_fails(void)
{
    static const struct {
        int code, status;
        const char *hint;
    } cases[] = {
        {9, EM_ERR_NO_DRIVER, "nothing to do"},
        {12, EM_ERR_NO_LIBRARY, "nothing to do"},
        {18, EM_ERR_VERSION, "reboot"},
        {4, EM_ERR_PERMISSION, "/dev/nvidiactl"},
        {17, EM_ERR_MASKED, "--gpus all"},
        {28, EM_ERR_NO_ZONES, "--gpus all"},
        {15, EM_ERR_GONE, "Xid"},
        {999, EM_ERR_BROKEN, "daemon-reload"},
        {10, EM_ERR_BROKEN, "dmesg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        em__probe probe;
        snprintf(text, sizeof text, "init %d\nboard\n", cases[i].code);
        em__host *host = rig_boards(text, &probe);
        CHECK_INT(probe.device_count, 0);
        const em__absence *absence = absence_of(&probe, "nvml", cases[i].status);
        if (CHECK(absence)) {
            CHECK(strstr(absence->hint, cases[i].hint) != NULL);
        }
        rig_done(host, &probe);
    }
}

static void put_gpu(em__host *host, const char *driver)
{
    put(host, "/sys/bus/pci/devices/0000:00:1f.0/vendor", "0x8086\n");
    put(host, "/sys/bus/pci/devices/0000:00:1f.0/class", "0x030000\n");
    put(host, "/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
    put(host, "/sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n");
    put(host, "/sys/bus/pci/devices/0000:01:00.1/vendor", "0x10de\n");
    put(host, "/sys/bus/pci/devices/0000:01:00.1/class", "0x040300\n");
    if (driver) {
        em__machine_set_link(host, "/sys/bus/pci/devices/0000:01:00.0/driver", driver);
    }
}

static void test_no_library(void)
{
    static const struct {
        int has_gpu;
        const char *driver, *reason, *hint;
    } cases[] = {
        {0, NULL, "no NVIDIA GPU is on the PCI bus", "nothing to do without an NVIDIA GPU"},
        {1, NULL, "0000:01:00.0 has no kernel driver", "install NVIDIA's driver"},
        {1, "../../../../bus/pci/drivers/nouveau", "the kernel driver nouveau", "nouveau"},
        {1, "../../../../bus/pci/drivers/nvidia", "the kernel driver nvidia", "NVIDIA_DRIVER_CAPABILITIES"},
    };
    const char *library = rig.library;
    rig.library = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_host(NULL);
        em__selection selection = everything();
        if (cases[i].has_gpu) {
            put_gpu(host, cases[i].driver);
        }
        CHECK_INT(rig_probe(host, &selection, &probe), EM_OK);
        const em__absence *absence = absence_of(&probe, "nvml", EM_ERR_NO_LIBRARY);
        if (CHECK(absence && probe.device_count == 0 && probe.absence_count == 1)) {
            CHECK(strstr(absence->reason, cases[i].reason) != NULL);
            CHECK(strstr(absence->hint, cases[i].hint) != NULL);
        }
        rig_done(host, &probe);
    }
    rig.library = library;
}

static void test_machines_without_a_loader(void)
{
    em__probe probe = {0};
    em__selection selection = everything();
    em__host *host = recorded_machine("vm-no-powercap-tesla-t4", 0);
    CHECK_INT(em__sensor_nvml.probe(host, &selection, &probe), EM_OK);
    CHECK_INT(probe.device_count, 0);
    CHECK(absence_of(&probe, "nvml", EM_ERR_NOT_SUPPORTED) != NULL);
    rig_done(host, &probe);
}

static void test_garbage(void)
{
    static const struct {
        const char *text;
        int devices, status;
    } cases[] = {
        {"count 0\n", 0, EM_ERR_NO_ZONES},          {"count 1000000000\nboard\n", 0, EM_ERR_BROKEN},
        {"null\nboard\nboard\n", 2, EM_ERR_BROKEN}, {"board handle=4\nboard\n", 2, EM_ERR_PERMISSION},
        {"count 3\nboard\n", 3, EM_ERR_BROKEN},     {"board energy=15 power=15\nboard\n", 2, EM_ERR_GONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_boards(cases[i].text, &probe);
        printf("# case %zu\n", i);
        CHECK_INT(probe.device_count, cases[i].devices);
        CHECK(absence_of(&probe, "nvml", cases[i].status) != NULL);
        rig_done(host, &probe);
    }
}

static void test_endless_strings(void)
{
    em__probe probe;
    em__host *host = rig_boards("garbage\nboard pci=00000000:41:00.0\nboard pci=0:1ff:00.0\n", &probe);
    if (CHECK_INT(probe.device_count, 2)) {
        const em__channel *channel = &probe.devices[0]->channels[0], *other = &probe.devices[1]->channels[0];
        CHECK_INT(strlen(channel->device_name), 96);
        CHECK_INT(strspn(channel->device_name, "?"), 96);
        CHECK_TEXT(channel->uuid, "");
        CHECK_TEXT(channel->source, "nvml:0000:41:00.0");
        CHECK_TEXT(other->pci, "");
        CHECK_TEXT(other->source, "nvml:1");
    }
    rig_done(host, &probe);
}

static void test_old_library(void)
{
    const char *library = rig.library;
    em__probe probe;
    rig.library = EM_TEST_FAKES "/libnvml-old.so";
    em__host *host = rig_boards("", &probe);
    if (CHECK_INT(probe.device_count, 1)) {
        CHECK_INT(probe.devices[0]->channels[0].kind, EM_KIND_GAUGE);
        CHECK_INT(read_one(probe.devices[0]).value, 61000);
        CHECK(probe.devices[0]->ops->revive(probe.devices[0]) != 0); /* nothing tells that it is the same board */
    }
    rig_done(host, &probe);

    rig.library = "libm.so.6";
    host = rig_boards("", &probe);
    CHECK_INT(probe.device_count, 0);
    const em__absence *absence = absence_of(&probe, "nvml", EM_ERR_BROKEN);
    CHECK(absence && strstr(absence->reason, "nvmlInit_v2"));
    rig_done(host, &probe);
    rig.library = library;
}

/* ------------------------------------------------------------------------------------------------- who opens and shuts */

static void test_started_once_and_shut_down_last(void)
{
    em__probe probe;
    int before = rig.start_count();
    em__host *host = rig_boards("board\nboard\nboard\n", &probe);
    CHECK_INT(rig.start_count() - before, 1);
    while (probe.device_count > 0) {
        em__device *device = probe.devices[--probe.device_count];
        CHECK_INT(rig.open_count(), 1);
        CHECK_INT(rig.opened, 1);
        device->ops->destroy(device);
    }
    rig_done(host, &probe);
}

static void *read_and_destroy(void *argument)
{
    em__device *device = argument;
    em__reading reading;
    for (int i = 0; i < 2000; i++) {
        device->ops->read(device, EM__CHANNEL_BIT(0), &reading);
    }
    device->ops->destroy(device);
    return NULL;
}

static void test_two_threads(void)
{
    em__probe probe;
    em__host *host = rig_boards("board\nboard energy=no\n", &probe);
    pthread_t threads[2];
    CHECK_INT(probe.device_count, 2);
    for (size_t i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, read_and_destroy, probe.devices[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    probe.device_count = 0;
    rig_done(host, &probe);
}

/* The stand-in lies in a folder of LD_LIBRARY_PATH under the real name, and the live system's own loader finds it. */
static void test_live_loader(void)
{
    em__probe probe = {0};
    em__selection selection = everything();
    em__host *host = NULL;
    script("board name=\"NVIDIA H200\" watts=300\n");
    CHECK_INT(em__host_open("/", 0, NULL, NULL, 0, &host), 0);
    rig.set_clock(0);
    CHECK_INT(em__sensor_nvml.probe(host, &selection, &probe), EM_OK);
    if (CHECK_INT(probe.device_count, 1)) {
        rig.set_clock(2000000000);
        CHECK_INT(read_one(probe.devices[0]).value, 1000000 + 600000);
        CHECK_INT(rig.open_count(), 1);
    }
    rig_done(host, &probe);
}

/* ----------------------------------------------------------------------------------------------------- what is selected */

static int probe_with(const char *const *environment, const char *gpus, uint32_t measure, em__host **ret_host,
                      em__probe *ret_probe)
{
    em__selection selection = everything();
    selection.gpus = gpus;
    selection.measure = measure;
    *ret_host = rig_host(environment);
    script("board name=\"NVIDIA H100 PCIe\" uuid=" UUID_A " pci=0:41:0\n"
           "board name=\"NVIDIA H100 PCIe\" uuid=" UUID_B " pci=0:21:0\n"
           "board name=\"NVIDIA H100 PCIe\" pci=0:01:0 slices=MIG-89c850dc-0000,MIG-77a5b3e1-0000\n");
    return rig_probe(*ret_host, &selection, ret_probe);
}

static void test_selection(void)
{
    static const char *const one[] = {"CUDA_VISIBLE_DEVICES=1", NULL}, *const none[] = {"CUDA_VISIBLE_DEVICES=", NULL},
                             *const slice[] = {"CUDA_VISIBLE_DEVICES=MIG-77a5b3e1-0000", NULL};
    static const struct {
        const char *const *environment;
        const char *gpus, *channels; /* those that there are, by the digit of the board */
        int is_mig;
    } cases[] = {
        {NULL, "visible", "012", 0}, {one, "visible", "1", 0}, {none, "visible", "", 0},   {none, "all", "012", 0},
        {NULL, "0,1", "21", 0},      {NULL, UUID_A, "0", 0},   {slice, "visible", "2", 1}, {one, "0", "1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host;
        CHECK_INT(probe_with(cases[i].environment, cases[i].gpus, UINT32_MAX, &host, &probe), EM_OK);
        printf("# case %zu\n", i);
        CHECK_INT(probe.device_count, strlen(cases[i].channels));
        for (const char *digit = cases[i].channels; *digit; digit++) {
            char name[] = "gpu-?/board";
            name[4] = *digit;
            CHECK(channel_named(&probe, name, NULL) != NULL);
        }
        CHECK_INT(absence_of(&probe, "nvml", EM_ERR_NOT_SELECTED) != NULL, strlen(cases[i].channels) < 3);
        CHECK_INT((probe.notes & EM_NOTE_BIT(EM_NOTE_MIG)) != 0, cases[i].is_mig);
        if (cases[i].is_mig) {
            CHECK((probe.devices[0]->channels[0].notes & EM_NOTE_BIT(EM_NOTE_MIG)) != 0);
        }
        rig_done(host, &probe);
    }
}

/* The PCI bus shows the same board, and a model of it must not stand beside what NVML gives, or for what nobody asked. */
static void test_each_board_once(void)
{
    static const char *const none[] = {"CUDA_VISIBLE_DEVICES=", NULL};
    static const struct {
        const char *text;
        const char *const *environment;
        const char *channel;
    } cases[] = {
        {"board pci=00000000:01:00.0\n", NULL, "gpu-0/board"},
        {"board pci=00000000:01:00.0 energy=no power=no\n", NULL, "gpu-0/model"},
        {"board pci=00000000:01:00.0\n", none, NULL},
        {"init 18\n", NULL, "gpu-0/model"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_host(cases[i].environment);
        em__selection selection = everything();
        size_t gpus = 0;
        put_gpu(host, "../../../../bus/pci/drivers/nvidia");
        script(cases[i].text);
        rig_time(host, 0);
        CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
        for (size_t j = 0; j < probe.device_count; j++) {
            gpus += probe.devices[j]->channels[0].domain == EM_DOMAIN_GPU;
        }
        CHECK_INT(gpus, cases[i].channel != NULL);
        CHECK(!cases[i].channel || channel_named(&probe, cases[i].channel, NULL));
        rig_done(host, &probe);
    }
}

static void test_wrong_selection(void)
{
    static const char *const asked[] = {"3", "0,0", "GPU-ffff", "one", "", "0,,1"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        em__probe probe;
        em__host *host;
        CHECK_INT(probe_with(NULL, asked[i], UINT32_MAX, &host, &probe), EM_ERR_INVALID);
        CHECK_INT(probe.device_count, 0);
        CHECK_INT(probing_error.status, EM_ERR_INVALID);
        CHECK_TEXT(probing_error.argument, "gpus");
        CHECK(strstr(probing_error.remedy, "NVIDIA H100 PCIe") != NULL);
        rig_done(host, &probe);
    }
}

static void test_gpus_left_out(void)
{
    em__probe probe;
    em__host *host;
    int before = rig.start_count();
    CHECK_INT(probe_with(NULL, "visible", 1u << EM_DOMAIN_CPU, &host, &probe), EM_OK);
    CHECK_INT(probe.device_count, 0);
    CHECK(absence_of(&probe, "nvml", EM_ERR_NOT_SELECTED) != NULL);
    CHECK_INT(rig.start_count(), before);
    rig_done(host, &probe);
    CHECK_INT(probe_with(NULL, "one", 1u << EM_DOMAIN_CPU, &host, &probe), EM_ERR_INVALID);
    rig_done(host, &probe);
}

/* The loader reads LD_LIBRARY_PATH when a program starts. */
static void start_with_library_path(char **arguments)
{
    const char *old = getenv("LD_LIBRARY_PATH");
    if (old && strncmp(old, EM_TEST_FAKES ":", sizeof EM_TEST_FAKES) == 0) {
        return;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s:%s", EM_TEST_FAKES, old ? old : "");
    setenv("LD_LIBRARY_PATH", path, 1);
    execv("/proc/self/exe", arguments);
}

int main(int count, char **arguments)
{
    (void)count;
    start_with_library_path(arguments);
    rig_start();
    RUN(test_two_different_boards);
    RUN(test_lost_and_found);
    RUN(test_what_passes_and_what_does_not);
    RUN(test_driver_reload_and_junk);
    RUN(test_every_combination);
    RUN(test_models);
    RUN(test_model_of_a_lost_board);
    RUN(test_start_fails);
    RUN(test_no_library);
    RUN(test_machines_without_a_loader);
    RUN(test_garbage);
    RUN(test_endless_strings);
    RUN(test_old_library);
    RUN(test_started_once_and_shut_down_last);
    RUN(test_two_threads);
    RUN(test_live_loader);
    RUN(test_selection);
    RUN(test_each_board_once);
    RUN(test_wrong_selection);
    RUN(test_gpus_left_out);
    rig_end();
    return CHECK_DONE();
}
