/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVIDIA boards that NVML lists and that do not answer when they are looked for. */
#include "nvml_rig.h"

#define UUID "GPU-1c20e77d-1c1a-d9ed-fe37-18b8466a78ad"

/* It draws power that nobody sees: a channel without readings, so that totals are not complete. */
static void test_lost_before_the_start(void)
{
    static const struct {
        const char *text;
        int status;
        const char *source, *pci, *remedy;
    } cases[] = {
        {"lost_s=0", EM_ERR_GONE, "nvml:1", "", "reset the GPU"},
        {"lost_s=0:65", EM_ERR_GONE, "nvml:1", "", "reset the GPU"},
        {"handle=15", EM_ERR_GONE, "nvml:1", "", "reset the GPU"},
        {"handle=4", EM_ERR_PERMISSION, "nvml:1", "", "/dev/nvidiactl"},
        {"handle=999", EM_ERR_BROKEN, "nvml:1", "", "Xid"},
        {"energy=15 power=15", EM_ERR_GONE, "nvml:" UUID, "0000:d8:00.0", "reset the GPU"},
        {"energy=16 power=no limit=300", EM_ERR_GONE, "nvml:" UUID, "0000:d8:00.0", "reset the GPU"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "board watts=300\nboard uuid=" UUID " pci=00000000:D8:00.0 %s\nboard\n",
                 cases[i].text);
        em__probe probe;
        em__host *host = rig_boards(text, &probe);
        em__device *device = NULL;
        const em__channel *channel = channel_named(&probe, "gpu-1/board", &device);
        printf("# %s\n", cases[i].text);
        CHECK_INT(probe.device_count, 3);
        CHECK(absence_of(&probe, "nvml", cases[i].status) != NULL);
        if (CHECK(channel)) {
            CHECK_INT(channel->status, cases[i].status);
            CHECK_INT(channel->domain, EM_DOMAIN_GPU);
            CHECK_INT(channel->covers, EM__COVERS_BOARD);
            CHECK_INT(channel->gpu, 1);
            CHECK_TEXT(channel->source, cases[i].source);
            CHECK_TEXT(channel->pci, cases[i].pci);
            CHECK(strstr(channel->reason, cases[i].remedy) != NULL);
            rig_time(host, 66);
            CHECK_INT(read_one(device).outcome, EM__READ_GONE);
            CHECK_INT(read_one(device).status, cases[i].status);
            CHECK(device->ops->revive(device) != 0);
        }
        rig_done(host, &probe);
    }
}

/* A lost board takes part in the selection, and neither shifts the others' numbers nor makes them unknown. */
static void test_selection_beside_a_lost_board(void)
{
    static const struct {
        const char *visible, *gpus, *channels;
    } cases[] = {
        {"X=", "visible", "012"},
        {"X=", "2", "2"},
        {"CUDA_VISIBLE_DEVICES=0", "visible", "0"},
        {"CUDA_VISIBLE_DEVICES=1,2", "visible", "12"},
        {"CUDA_VISIBLE_DEVICES=", "visible", ""},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const char *environment[] = {cases[i / 2].visible, NULL};
        em__probe probe;
        em__host *host = rig_host(environment);
        em__selection selection = everything();
        selection.gpus = cases[i / 2].gpus;
        script(i % 2 ? "board\nboard lost_s=0\nboard\n" : "board\nboard handle=999\nboard\n");
        CHECK_INT(rig_probe(host, &selection, &probe), EM_OK);
        printf("# case %zu\n", i);
        CHECK_INT(probe.device_count, strlen(cases[i / 2].channels));
        for (const char *digit = cases[i / 2].channels; *digit; digit++) {
            char name[] = "gpu-?/board";
            name[4] = *digit;
            CHECK(channel_named(&probe, name, NULL) != NULL);
        }
        CHECK_INT(probe.notes & EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN), 0);
        rig_done(host, &probe);
    }
}

int main(void)
{
    rig_start();
    RUN(test_lost_before_the_start);
    RUN(test_selection_beside_a_lost_board);
    rig_end();
    return CHECK_DONE();
}
