/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * Which of AMD's and Intel's boards are measured. The truths are of ROCm's documentation ("GPU isolation techniques"), of its
 * runtime's reader of ROCR_VISIBLE_DEVICES and HIP's of its own list, and of Level Zero's specification (affinity mask).
 */
#include "nvml_rig.h"

#define MI300X "amdgpu-mi300x-4-gpu-metrics-kfd" /* ROCm's 0, 1, 2, 3 are gpu-1, 0, 2, 3 */
#define ARC "intel-2-arc-b580-and-integrated"    /* on the bus: the CPU's graphics, gpu-0, gpu-1 */
#define NODES "/sys/devices/virtual/kfd/kfd/topology/nodes/"
#define PCI_ORDER "ZE_ENABLE_PCI_ID_DEVICE_ORDER=1"

static em__host *machine_with(const char *name, const char *const *environment)
{
    char path[512];
    em__host *host = NULL;
    snprintf(path, sizeof path, "%s/%s.json", EM_TEST_MACHINES, name);
    if (em__host_open(path, 0, environment, NULL, 0, &host) < 0) {
        abort();
    }
    return host;
}

/* The N of each "gpu-N/board" that is found; "!": refused. notes: of all of them. */
static const char *found(em__host *host, const char *gpus, uint64_t *ret_notes)
{
    static char digits[16];
    em__selection selection = everything();
    em__probe probe = {0};
    size_t length = 0;
    selection.gpus = gpus;
    *ret_notes = 0;
    int status = em__sensors_probe(host, &selection, &probe);
    for (size_t i = 0; i < probe.device_count && length < sizeof digits - 1; i++) {
        const em__channel *channel = &probe.devices[i]->channels[0];
        if (channel->domain == EM_DOMAIN_GPU) {
            digits[length++] = (char)('0' + channel->gpu);
            *ret_notes |= channel->notes & (EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN) | EM_NOTE_BIT(EM_NOTE_MIG));
        }
    }
    digits[length] = '\0';
    em__sensors_free(&probe);
    return status == EM_OK ? digits : "!";
}

typedef struct {
    const char *environment[4], *gpus, *chosen;
    uint64_t notes;
} visible_case;

static void check_cases(const char *machine, const visible_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        em__host *host = machine_with(machine, cases[i].environment);
        uint64_t notes;
        const char *chosen = found(host, cases[i].gpus ? cases[i].gpus : "visible", &notes);
        if (!CHECK_TEXT(chosen, cases[i].chosen) || !CHECK_INT(notes, cases[i].notes)) {
            printf("# with %s %s, gpus=%s\n", cases[i].environment[0] ? cases[i].environment[0] : "",
                   cases[i].environment[1] ? cases[i].environment[1] : "", cases[i].gpus);
        }
        em__host_unref(host);
    }
}

#define CHECK_CASES(machine, cases) check_cases(machine, cases, sizeof(cases) / sizeof(cases)[0])

static void test_rocr(void)
{
    static const visible_case cases[] = {
        {{NULL}, NULL, "0123", 0},
        {{"ROCR_VISIBLE_DEVICES=0"}, NULL, "1", 0},
        {{"ROCR_VISIBLE_DEVICES=1"}, NULL, "0", 0},
        {{"ROCR_VISIBLE_DEVICES=2,0"}, NULL, "12", 0},
        {{"ROCR_VISIBLE_DEVICES= 2 , 0 "}, NULL, "12", 0},
        {{"ROCR_VISIBLE_DEVICES="}, NULL, "", 0},
        {{"ROCR_VISIBLE_DEVICES=-1"}, NULL, "", 0},
        {{"ROCR_VISIBLE_DEVICES=2,-1,0"}, NULL, "2", 0},
        {{"ROCR_VISIBLE_DEVICES=0,0,2"}, NULL, "1", 0}, /* what repeats ends the list */
        {{"ROCR_VISIBLE_DEVICES=0,9,2"}, NULL, "1", 0},
        {{"ROCR_VISIBLE_DEVICES=0x2"}, NULL, "2", 0},
        {{"ROCR_VISIBLE_DEVICES=2x,0"}, NULL, "", 0},
        {{"ROCR_VISIBLE_DEVICES=99999999999999999999"}, NULL, "", 0},
        {{"ROCR_VISIBLE_DEVICES=GPU-3a1c4f8e5d2b0671"}, NULL, "0", 0},
        {{"ROCR_VISIBLE_DEVICES=gpu-3A1C"}, NULL, "0", 0},
        {{"ROCR_VISIBLE_DEVICES=GPU-5be7"}, NULL, "", 0}, /* two begin so */
        {{"ROCR_VISIBLE_DEVICES=GPU-5be71"}, NULL, "1", 0},
        {{"ROCR_VISIBLE_DEVICES=0,GPU-91c05e2277ab13de"}, NULL, "13", 0},
        {{"ROCR_VISIBLE_DEVICES=0,GPU-5be71"}, NULL, "1", 0},
        {{"ROCR_VISIBLE_DEVICES=GPU-"}, NULL, "", 0},
        {{"ROCR_VISIBLE_DEVICES=GPU-91c05e2277ab13de0"}, NULL, "", 0},
    };
    CHECK_CASES(MI300X, cases);
}

static void test_hip(void)
{
    static const visible_case cases[] = {
        {{"HIP_VISIBLE_DEVICES=0"}, NULL, "1", 0},
        {{"HIP_VISIBLE_DEVICES="}, NULL, "0123", 0},
        {{"HIP_VISIBLE_DEVICES=-1"}, NULL, "", 0},
        {{"HIP_VISIBLE_DEVICES=0,0,2"}, NULL, "12", 0}, /* what repeats is passed over */
        {{"HIP_VISIBLE_DEVICES=1, 2"}, NULL, "0", 0},   /* a space is no number */
        {{"HIP_VISIBLE_DEVICES=00"}, NULL, "", 0},
        {{"HIP_VISIBLE_DEVICES=3,4,0"}, NULL, "3", 0},
        {{"HIP_VISIBLE_DEVICES=GPU-91c05e2277ab13de"}, NULL, "3", 0},
        {{"ROCR_VISIBLE_DEVICES=2,3", "HIP_VISIBLE_DEVICES=1"}, NULL, "3", 0}, /* within what ROCr left */
        {{"ROCR_VISIBLE_DEVICES=GPU-91c0,0", "HIP_VISIBLE_DEVICES=0"}, NULL, "3", 0},
        {{"ROCR_VISIBLE_DEVICES=2,3", "HIP_VISIBLE_DEVICES=2"}, NULL, "", 0},
        {{"CUDA_VISIBLE_DEVICES=1"}, NULL, "0", 0},
        {{"CUDA_VISIBLE_DEVICES="}, NULL, "0123", 0},
        {{"CUDA_VISIBLE_DEVICES=1", "HIP_VISIBLE_DEVICES=2"}, NULL, "2", 0},
        {{"CUDA_VISIBLE_DEVICES=3", "HIP_VISIBLE_DEVICES="}, NULL, "3", 0},
        {{"CUDA_VISIBLE_DEVICES=0", "ROCR_VISIBLE_DEVICES=3"}, NULL, "3", 0},
        {{"CUDA_VISIBLE_DEVICES=GPU-8932f937-aaaa-bbbb-cccc-000000000001"}, NULL, "0123", 0}, /* NVIDIA's */
        {{"ZE_AFFINITY_MASK=7"}, NULL, "0123", 0},
    };
    CHECK_CASES(MI300X, cases);
}

static void test_gpus_option(void)
{
    static const visible_case cases[] = {
        {{NULL}, "0", "1", 0},
        {{NULL}, "3,1", "03", 0},
        {{"ROCR_VISIBLE_DEVICES=3,2"}, "0", "3", 0},
        {{"ROCR_VISIBLE_DEVICES=0"}, "all", "0123", 0},
        {{"ROCR_VISIBLE_DEVICES=0"}, "GPU-91c0", "3", 0},
        {{"ROCR_VISIBLE_DEVICES=0"}, "1", "!", 0},
        {{NULL}, "4", "!", 0},
        {{NULL}, "2,2", "!", 0},
        {{NULL}, "GPU-5be7", "!", 0},
        {{NULL}, "MIG-1", "!", 0},
        {{"LOCAL_RANK=2"}, "local_rank", "2", 0},
        {{"LOCAL_RANK=0"}, "local_rank", "1", 0},
        {{"LOCAL_RANK=0", "HIP_VISIBLE_DEVICES=3"}, "local_rank", "3", 0},
        {{"LOCAL_RANK=4"}, "local_rank", "!", 0},
    };
    CHECK_CASES(MI300X, cases);
    em__host *host = machine_with(MI300X, NULL);
    uint64_t notes;
    CHECK_TEXT(found(host, "9", &notes), "!");
    CHECK(strstr(probing_error.text, "4 GPUs are visible") != NULL);
    CHECK(strstr(probing_error.remedy, "0: AMD GPU 1002:74a1 (GPU-5be71209), 1 (GPU-3a1c4f8e)") != NULL);
    em__host_unref(host);
}

/* KFD answers EPERM for what the control group of a container does not allow; the others move up. */
static void test_control_groups(void)
{
    static const visible_case cases[] = {
        {{NULL}, NULL, "023", 0},
        {{"ROCR_VISIBLE_DEVICES=0"}, NULL, "0", 0},
        {{"HIP_VISIBLE_DEVICES=2"}, NULL, "3", 0},
        {{NULL}, "all", "0123", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        em__host *host = machine_with(MI300X, cases[i].environment);
        uint64_t notes;
        put_broken(host, NODES "2/properties", EPERM);
        CHECK_TEXT(found(host, cases[i].gpus ? cases[i].gpus : "visible", &notes), cases[i].chosen);
        em__host_unref(host);
    }
    em__host *host = machine_with(MI300X, NULL);
    em__selection selection = everything();
    em__probe probe = {0};
    put_broken(host, NODES "2/properties", EPERM);
    CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
    const em__absence *absence = absence_of(&probe, "amdgpu", EM_ERR_NOT_SELECTED);
    CHECK(absence && strstr(absence->reason, "1 of 4 GPUs is not for this process: its control group"));
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* Without KFD the bus's order is all there is. In a board that is cut, one partition is the whole board. */
static void test_kfd_of_other_shapes(void)
{
    static const char *const second[] = {"ROCR_VISIBLE_DEVICES=1", NULL};
    uint64_t notes;
    em__host *host = machine_with(MI300X, second);
    em__machine_remove(host, "/sys/devices/virtual/kfd");
    CHECK_TEXT(found(host, "visible", &notes), "1");
    em__host_unref(host);

    host = machine_with(MI300X, second);
    put(host, NODES "2/properties", "simd_count 152\nlocation_id 9728\ndomain 0\n"); /* 26:00.0 */
    put(host, NODES "3/properties", "simd_count 152\nlocation_id 9729\ndomain 0\n");
    CHECK_TEXT(found(host, "visible", &notes), "1");
    CHECK_INT(notes, EM_NOTE_BIT(EM_NOTE_MIG));
    em__host_unref(host);

    host = machine_with(MI300X, NULL);
    put(host, NODES "2/properties", "simd_count 0\n");
    CHECK_TEXT(found(host, "visible", &notes), "0123"); /* KFD cannot use it, and it is there all the same */
    put(host, NODES "3/properties", "garbage");
    CHECK_TEXT(found(host, "0", &notes), "2");
    em__host_unref(host);
}

static void test_affinity_mask(void)
{
    static const uint64_t unknown = EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    static const visible_case cases[] = {
        {{NULL}, NULL, "01", 0},
        {{"ZE_AFFINITY_MASK="}, NULL, "01", 0},
        {{"ZE_AFFINITY_MASK=1"}, NULL, "01", unknown}, /* the CPU's graphics are another model */
        {{"ZE_AFFINITY_MASK=0,1,2"}, NULL, "01", 0},
        {{"ZE_AFFINITY_MASK=1", PCI_ORDER}, NULL, "0", 0},
        {{"ZE_AFFINITY_MASK=2", PCI_ORDER}, NULL, "1", 0},
        {{"ZE_AFFINITY_MASK=2,1,1", PCI_ORDER}, NULL, "01", 0},
        {{"ZE_AFFINITY_MASK=0", PCI_ORDER}, NULL, "", 0},
        {{"ZE_AFFINITY_MASK=7", PCI_ORDER}, NULL, "", 0},
        {{"ZE_AFFINITY_MASK=-1", PCI_ORDER}, NULL, "", 0},
        {{"ZE_AFFINITY_MASK=x,2", PCI_ORDER}, NULL, "1", 0},
        {{"ZE_AFFINITY_MASK=1.0", PCI_ORDER}, NULL, "0", 0},
        {{"ZE_AFFINITY_MASK=1.0", PCI_ORDER, "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE"}, NULL, "0", 0},
        {{"ZE_AFFINITY_MASK=1.1", PCI_ORDER, "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE"}, NULL, "", 0},
        {{"ZE_AFFINITY_MASK=2", PCI_ORDER}, "all", "01", 0},
        {{"ZE_AFFINITY_MASK=2", PCI_ORDER}, "0", "1", 0},
        {{PCI_ORDER}, "2", "1", 0},
        {{NULL}, "1", "!", 0},
        {{PCI_ORDER}, "3", "!", 0},
        {{"HIP_VISIBLE_DEVICES=-1", "ROCR_VISIBLE_DEVICES=", "CUDA_VISIBLE_DEVICES="}, NULL, "01", 0},
    };
    CHECK_CASES(ARC, cases);
}

static void test_tiles(void)
{
    static const uint64_t part = EM_NOTE_BIT(EM_NOTE_MIG);
    static const visible_case cases[] = {
        {{"ZE_AFFINITY_MASK=1", PCI_ORDER}, NULL, "0", part}, /* 0, then two tiles, then 3 */
        {{"ZE_AFFINITY_MASK=2", PCI_ORDER}, NULL, "0", part},
        {{"ZE_AFFINITY_MASK=3", PCI_ORDER}, NULL, "1", 0},
        {{"ZE_AFFINITY_MASK=1,2", PCI_ORDER}, NULL, "0", 0},
        {{"ZE_AFFINITY_MASK=1,1", PCI_ORDER}, NULL, "0", part},
        {{"ZE_AFFINITY_MASK=1", PCI_ORDER, "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE"}, NULL, "0", 0},
        {{"ZE_AFFINITY_MASK=1.1", PCI_ORDER, "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE"}, NULL, "0", part},
        {{"ZE_AFFINITY_MASK=1.0,1.1", PCI_ORDER, "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE"}, NULL, "0", 0},
        {{"ZE_AFFINITY_MASK=1.2", PCI_ORDER, "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE"}, NULL, "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        em__host *host = machine_with(ARC, cases[i].environment);
        uint64_t notes;
        put(host, "/sys/class/hwmon/hwmon4/device/tile1/gt2/freq0/act_freq", "0\n");
        if (!CHECK_TEXT(found(host, "visible", &notes), cases[i].chosen) || !CHECK_INT(notes, cases[i].notes)) {
            printf("# with %s\n", cases[i].environment[0]);
        }
        em__host_unref(host);
    }
}

/* A name is the board's, whatever else is left out, so that summaries of several ranks meet in it. */
static void test_identity(void)
{
    static const char *const last[] = {"ROCR_VISIBLE_DEVICES=3", NULL};
    em__host *host = machine_with(MI300X, last);
    em__selection selection = everything();
    em__probe probe = {0};
    CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
    const em__channel *board = channel_named(&probe, "gpu-3/board", NULL);
    CHECK_TEXT(board->uuid, "GPU-91c05e2277ab13de");
    CHECK_TEXT(board->pci, "0000:65:00.0");
    const em__absence *absence = absence_of(&probe, "amdgpu", EM_ERR_NOT_SELECTED);
    CHECK(absence && strstr(absence->reason, "3 of 4 GPUs are left out by ROCR_VISIBLE_DEVICES=\"3\""));
    CHECK(absence && strstr(absence->hint, "gpus=\"all\""));
    em__sensors_free(&probe);
    em__host_unref(host);
}

#define UUID_A "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
#define UUID_B "GPU-1c20e77d-1c1a-d9ed-fe37-18b8466a78ad"

/* Numbers go on from NVIDIA's boards to AMD's; each maker's variables choose among its own, and CUDA's among both where HIP's
 * does not. */
static void test_boards_of_two_makers(void)
{
    static const struct {
        const char *environment[3], *gpus, *names;
    } cases[] = {
        {{NULL}, "visible", "gpu-0 gpu-1 gpu-2 "},
        {{NULL}, "0", "gpu-0 "},
        {{NULL}, "2", "gpu-2 "},
        {{NULL}, "1,2", "gpu-1 gpu-2 "},
        {{NULL}, "GPU-91c0", "gpu-2 "},
        {{NULL}, UUID_A, "gpu-0 "},
        {{NULL}, "GPU-", NULL},
        {{NULL}, "3", NULL},
        {{"HIP_VISIBLE_DEVICES=-1"}, "visible", "gpu-0 gpu-1 "},
        {{"HIP_VISIBLE_DEVICES=-1"}, "2", NULL},
        {{"CUDA_VISIBLE_DEVICES=1"}, "visible", "gpu-1 "},
        {{"CUDA_VISIBLE_DEVICES=0"}, "visible", "gpu-0 gpu-2 "},
        {{"CUDA_VISIBLE_DEVICES=0"}, "1", "gpu-2 "},
        {{"CUDA_VISIBLE_DEVICES=", "HIP_VISIBLE_DEVICES=0"}, "visible", "gpu-2 "},
        {{"CUDA_VISIBLE_DEVICES=", "HIP_VISIBLE_DEVICES=0"}, "0", "gpu-2 "},
        {{"CUDA_VISIBLE_DEVICES=" UUID_B}, "visible", "gpu-1 gpu-2 "},
        {{"LOCAL_RANK=2"}, "local_rank", "gpu-2 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe = {0};
        em__selection selection = everything();
        char names[64] = "";
        em__host *host = rig_host(cases[i].environment);
        script("board name=\"NVIDIA H100 PCIe\" uuid=" UUID_A " pci=0:21:0\n"
               "board name=\"NVIDIA H100 PCIe\" uuid=" UUID_B " pci=0:41:0\n");
        rig_time(host, 0);
        put(host, "/sys/class/hwmon/hwmon0/name", "amdgpu\n");
        put(host, "/sys/class/hwmon/hwmon0/power1_average", "41045000\n");
        put(host, "/sys/class/hwmon/hwmon0/device/unique_id", "91c05e2277ab13de\n");
        put(host, "/sys/class/hwmon/hwmon0/device/uevent", "PCI_ID=1002:67DF\nPCI_SLOT_NAME=0000:09:00.0\n");
        selection.gpus = cases[i].gpus;
        CHECK_INT(em__sensors_probe(host, &selection, &probe), cases[i].names ? EM_OK : EM_ERR_INVALID);
        for (size_t j = 0; j < probe.device_count; j++) {
            if (probe.devices[j]->channels[0].domain == EM_DOMAIN_GPU) {
                snprintf(names + strlen(names), sizeof names - strlen(names), "%.5s ",
                         probe.devices[j]->channels[0].name);
            }
        }
        if (!CHECK_TEXT(names, cases[i].names ? cases[i].names : "")) {
            printf("# case %zu\n", i);
        }
        rig_done(host, &probe);
    }
}

int main(void)
{
    rig_start();
    RUN(test_rocr);
    RUN(test_hip);
    RUN(test_gpus_option);
    RUN(test_control_groups);
    RUN(test_kfd_of_other_shapes);
    RUN(test_affinity_mask);
    RUN(test_tiles);
    RUN(test_identity);
    RUN(test_boards_of_two_makers);
    rig_end();
    return CHECK_DONE();
}
