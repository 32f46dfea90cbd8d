/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * Which boards are measured. The truths on CUDA_VISIBLE_DEVICES are examples of the CUDA Programming Guide ("CUDA
 * Environment Variables") and of PyTorch's tests of its own parser, which were compared with driver 525.60.13.
 */
#include "check.h"

#include "platform/machine.h"
#include "sensors/visible.h"

#include <stdlib.h>

enum { EIGHT = 8 };

/* The UUIDs of PyTorch's test. */
static const char *const uuids[EIGHT] = {
    "GPU-9942190a-aa31-4ff1-4aa9-c388d80f85f1", "GPU-9e8d35e3-a134-0fdd-0e01-23811fdbd293",
    "GPU-e429a63e-c61c-4795-b757-5132caeb8e70", "GPU-eee1dfbc-0a0f-6ad8-5ff6-dc942a8b9d98",
    "GPU-bbcd6503-5150-4e92-c266-97cc4390d04e", "GPU-472ea263-58d7-410d-cc82-f7fdece5bd28",
    "GPU-e56257c4-947f-6a5b-7ec9-0f45567ccf4e", "GPU-1c20e77d-1c1a-d9ed-fe37-18b8466a78ad",
};

static em__board boards[EIGHT];
static em_error error;

/* models: one letter a board. */
static void set_boards(const char *models)
{
    memset(boards, 0, sizeof boards);
    for (int i = 0; models[i]; i++) {
        snprintf(boards[i].name, sizeof boards[i].name, "NVIDIA Model %c", models[i]);
        snprintf(boards[i].uuid, sizeof boards[i].uuid, "%s", uuids[i]);
        snprintf(boards[i].pci, sizeof boards[i].pci, "0000:%02x:00.0", (unsigned char)(i + 1));
        boards[i].index = i;
    }
}

/* The chosen boards as digits; "!" if the choice is refused. */
static const char *choose(const char *models, const char *const *environment, const char *gpus, uint64_t *ret_notes)
{
    static char digits[EIGHT + 1];
    unsigned char chosen[EIGHT] = {9, 9, 9, 9, 9, 9, 9, 9};
    em__host *host = NULL;
    em__selection selection = {.measure = UINT32_MAX, .gpus = gpus, .error = &error};
    size_t count = strlen(models), length = 0;
    error = (em_error){.size = sizeof error};
    *ret_notes = 0;
    if (em__machine_create(0, environment, &host) < 0) {
        abort();
    }
    em__gpu_choices choices = {0};
    int status = em__visible_choose(host, &selection, EM__MAKER_NVIDIA, boards, count, &choices, chosen, ret_notes);
    status = status == EM_OK ? em__visible_finish(host, &selection, &choices) : status;
    em__host_unref(host);
    for (size_t i = 0; i < count && status == EM_OK; i++) {
        CHECK(chosen[i] <= 1);
        if (chosen[i]) {
            digits[length++] = (char)('0' + i);
        }
    }
    digits[length] = '\0';
    if (status == EM_OK) {
        return digits;
    }
    CHECK_INT(status, EM_ERR_INVALID);
    CHECK_INT(error.status, EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "gpus");
    CHECK(error.text[0] && error.remedy[0]);
    return "!";
}

typedef struct {
    const char *variable, *gpus, *chosen;
    uint64_t notes;
} visible_case;

static const uint64_t unknown = EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN), mig = EM_NOTE_BIT(EM_NOTE_MIG);

static void check_cases(const char *models, const char *order, const visible_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char variable[256];
        const char *environment[3] = {NULL, NULL, NULL};
        int used = 0;
        uint64_t notes;
        if (cases[i].variable) {
            snprintf(variable, sizeof variable, "CUDA_VISIBLE_DEVICES=%s", cases[i].variable);
            environment[used++] = variable;
        }
        if (order) {
            environment[used] = order;
        }
        const char *chosen = choose(models, environment, cases[i].gpus, &notes);
        if (!CHECK_TEXT(chosen, cases[i].chosen) || !CHECK_INT(notes, cases[i].notes)) {
            printf("# with CUDA_VISIBLE_DEVICES=%s, gpus=%s\n", cases[i].variable ? cases[i].variable : "(unset)",
                   cases[i].gpus);
        }
    }
}

#define CHECK_CASES(models, order, cases) check_cases(models, order, cases, sizeof(cases) / sizeof(cases)[0])

static void test_cuda_list(void)
{
    static const visible_case cases[] = {
        {NULL, "visible", "01234567", 0},
        {"", "visible", "", 0},
        {"-1", "visible", "", 0},
        {"2,1", "visible", "12", 0},
        {"0,2,-1,1", "visible", "02", 0}, /* the programming guide's own example */
        {"0, 1, 2, -1, 3", "visible", "012", 0},
        {"1gpu2,2ampere", "visible", "12", 0},
        {"0, 1, 2, 1", "visible", "", 0},
        {"2, +3, -0, 5", "visible", "0235", 0},
        {"one,two,3,4", "visible", "", 0},
        {"4,3,two,one", "visible", "34", 0},
        {"1, 9, 0", "visible", "1", 0},
        {"99999999999999999999,0", "visible", "", 0},
        {"NoDevFiles", "visible", "", 0},
        {"0,,1", "visible", "0", 0},
        {"GPU-9e8d35e3", "visible", "1", 0},
        {"GPU-9e8d35e3-a134-0fdd-0e01-23811fdbd293", "visible", "1", 0},
        {"GPU-9e8d35e3-a134-0fdd-0e01-23811fdbd2930", "visible", "", 0},
        {"GPU-e4,GPU-9e8d35e3", "visible", "12", 0},
        {"GPU-9e8d35e3,GPU-1,GPU-47", "visible", "157", 0},
        {"GPU-123,GPU-9e8d35e3", "visible", "", 0},
        {"GPU-9e8d35e3,GPU-123,GPU-47", "visible", "1", 0},
        {"GPU-9e8d35e3,GPU-e,GPU-47", "visible", "1", 0}, /* three begin with e */
        {"GPU-9e8d35e3,GPU-47,GPU-9e8", "visible", "", 0},
        {"GPU-1, 2", "visible", "7", 0}, /* numbers do not belong into a list of UUIDs */
        {"2,GPU-1", "visible", "2", 0},
    };
    set_boards("AAAAAAAA");
    CHECK_CASES("AAAAAAAA", NULL, cases);
    CHECK_CASES("AAAAAAAA", "CUDA_DEVICE_ORDER=PCI_BUS_ID", cases);
    set_boards("AABBBBBB");
    CHECK_CASES("AABBBBBB", "CUDA_DEVICE_ORDER=PCI_BUS_ID", cases);
}

/* "Fastest first" numbers different models in an order that nobody but CUDA knows. */
static void test_fastest_first(void)
{
    static const visible_case cases[] = {
        {NULL, "visible", "012", 0},
        {"1", "visible", "012", unknown},
        {"1,0", "visible", "012", unknown},
        {"2,1,0", "visible", "012", 0}, /* all of them, in whatever order */
        {"0,0", "visible", "", 0},
        {"", "visible", "", 0},
        {"3", "visible", "", 0},
        {"GPU-9e", "visible", "1", 0},
        {"1", "all", "012", 0},
        {NULL, "0", "!", 0},
        {"1", "0", "!", 0},
        {NULL, "GPU-e4", "2", 0},
        {"GPU-e4,GPU-99", "0", "2", 0},
        {"GPU-e4,GPU-99", "1", "0", 0},
    };
    set_boards("ABA");
    CHECK_CASES("ABA", NULL, cases);
    CHECK_CASES("ABA", "CUDA_DEVICE_ORDER=FASTEST_FIRST", cases);
    set_boards("A");
    uint64_t notes;
    CHECK_TEXT(choose("A", NULL, "0", &notes), "0");
    set_boards("ABA");
    choose("ABA", NULL, "0", &notes);
    CHECK(strstr(error.remedy, "CUDA_DEVICE_ORDER=PCI_BUS_ID") != NULL);
}

/* Indices count within the visible boards, in CUDA's order; UUIDs name any. */
static void test_gpus_option(void)
{
    static const visible_case cases[] = {
        {NULL, "all", "0123", 0},
        {"2", "all", "0123", 0},
        {NULL, "0,2", "02", 0},
        {NULL, " 3 , 1 ", "13", 0},
        {"3,1", "0", "3", 0},
        {"3,1", "1", "1", 0},
        {"3,1", "cuda:1", "1", 0},
        {"3,1", "2", "!", 0},
        {"3,1", "0,0", "!", 0},
        {"", "0", "!", 0},
        {NULL, "4", "!", 0},
        {NULL, "-1", "!", 0},
        {NULL, "1.0", "!", 0},
        {NULL, "one", "!", 0},
        {NULL, "", "!", 0},
        {NULL, "0,", "!", 0},
        {NULL, "cuda:", "!", 0},
        {NULL, "visible,0", "!", 0},
        {NULL, "GPU-9e8d35e3", "1", 0},
        {"0", "GPU-9e8d35e3", "1", 0},
        {NULL, "GPU-e", "!", 0},
        {NULL, "GPU-123", "!", 0},
        {NULL, "1,GPU-9e8d", "!", 0},
        {NULL, "0,GPU-9e8d", "01", 0},
        {NULL, "ALL", "!", 0},
        {NULL, "99999999999999999999", "!", 0},
    };
    set_boards("AAAA");
    CHECK_CASES("AAAA", NULL, cases);
    uint64_t notes;
    CHECK_TEXT(choose("AAAA", NULL, NULL, &notes), "0123");
}

static void test_refusals_list_the_boards(void)
{
    static const char *const two[] = {"CUDA_VISIBLE_DEVICES=3,1", NULL};
    uint64_t notes;
    set_boards("AAAA");
    CHECK_TEXT(choose("AAAA", NULL, "7", &notes), "!");
    CHECK(strstr(error.text, "gpus=\"7\"") != NULL);
    CHECK_TEXT(choose("AAAA", two, "2", &notes), "!");
    CHECK(strstr(error.remedy, "0: NVIDIA Model A (GPU-eee1dfbc), 1 (GPU-9e8d35e3)") != NULL);
    CHECK(strstr(error.remedy, "visible") != NULL);
    static const char *const none[] = {"CUDA_VISIBLE_DEVICES=", "LOCAL_RANK=0", NULL};
    static const char *const indices[] = {"1", "local_rank"};
    for (size_t i = 0; i < 2; i++) {
        CHECK_TEXT(choose("AAAA", none, indices[i], &notes), "!");
        CHECK(strstr(error.text, indices[i]) && strstr(error.text, "CUDA_VISIBLE_DEVICES hides all"));
        CHECK(strstr(error.remedy, "give UUIDs") && strstr(error.remedy, "GPU-9e8d35e3"));
    }
    CHECK_TEXT(choose("AAAA", NULL, "GPU-\xc3\x28\x01", &notes), "!");
    CHECK(strstr(error.text, "GPU-?(?") != NULL);
    char endless[2000];
    memset(endless, '7', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    CHECK_TEXT(choose("AAAA", NULL, endless, &notes), "!");
    endless[0] = 'x';
    CHECK_TEXT(choose("AAAA", NULL, endless, &notes), "!");
}

static void test_local_rank(void)
{
    static const struct {
        const char *environment[3], *chosen, *words;
    } cases[] = {
        {{"LOCAL_RANK=2"}, "2", NULL},
        {{"SLURM_LOCALID=1"}, "1", NULL},
        {{"OMPI_COMM_WORLD_LOCAL_RANK=3"}, "3", NULL},
        {{"MPI_LOCALRANKID=0"}, "0", NULL},
        {{"MPI_LOCALRANKID=0", "SLURM_LOCALID=1"}, "0", NULL}, /* mpirun inside of a batch */
        {{"SLURM_LOCALID=1", "LOCAL_RANK=2"}, "2", NULL},
        {{"LOCAL_RANK=1", "CUDA_VISIBLE_DEVICES=3,2"}, "2", NULL},
        {{"LOCAL_RANK=4"}, "!", "LOCAL_RANK is 4"},
        {{"LOCAL_RANK=two"}, "!", "\"two\""},
        {{"LOCAL_RANK="}, "!", "no rank"},
        {{"LOCAL_RANK=0,1"}, "!", "no rank"},
        {{"LOCAL_RANK=3", "CUDA_VISIBLE_DEVICES=3"}, "!", "1 GPU is visible"},
        {{"RANK=1"}, "!", "SLURM_LOCALID"},
    };
    uint64_t notes;
    set_boards("AAAA");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_TEXT(choose("AAAA", cases[i].environment, "local_rank", &notes), cases[i].chosen);
        CHECK(!cases[i].words || strstr(error.text, cases[i].words));
    }
    static const char *const ranked[] = {"LOCAL_RANK=1", NULL};
    CHECK_TEXT(choose("", ranked, "local_rank", &notes), "");
    set_boards("AB");
    CHECK_TEXT(choose("AB", ranked, "local_rank", &notes), "!");
    CHECK(strstr(error.remedy, "CUDA_DEVICE_ORDER") != NULL);
}

/* Names as nvidia-smi -L prints them, of driver 470 and later and of those before. */
static void test_slices(void)
{
    static const visible_case cases[] = {
        {"MIG-d184f67c-c95f-5ef2-a935-195bd0094fbd", "visible", "1", mig},
        {"MIG-d184f67c", "visible", "1", mig},
        {"MIG-37b51284-1df4-5451-979d-3231ccb0822e", "visible", "2", mig},
        {"MIG-", "visible", "", 0},                         /* three begin so */
        {"MIG-d184f67c,MIG-37b51284", "visible", "1", mig}, /* CUDA shows one slice */
        {"MIG-00000000-1df4-5451-979d-3231ccb0822e", "visible", "", 0},
        {"MIG-GPU-9e8d35e3-a134-0fdd-0e01-23811fdbd293/1/0", "visible", "1", mig},
        {"MIG-GPU-9e8d35e3/13/0", "visible", "1", mig},
        {"MIG-GPU-e/1/0", "visible", "", 0},
        {"MIG-GPU-123/1/0", "visible", "", 0},
        {NULL, "MIG-37b51284", "2", mig},
        {NULL, "MIG-d184f67c,MIG-aaaaaaaa", "1", mig},
        {NULL, "MIG-12345678", "!", 0},
        {"MIG-d184f67c", "0", "1", mig},
        {"MIG-d184f67c", "1", "!", 0},
    };
    set_boards("AAAA");
    boards[1].is_mig = boards[2].is_mig = 1;
    boards[1].mig_count = 2;
    boards[2].mig_count = 1;
    strcpy(boards[1].migs[0], "MIG-d184f67c-c95f-5ef2-a935-195bd0094fbd");
    strcpy(boards[1].migs[1], "MIG-aaaaaaaa-1df4-5451-979d-3231ccb0822e");
    strcpy(boards[2].migs[0], "MIG-37b51284-1df4-5451-979d-3231ccb0822e");
    CHECK_CASES("AAAA", NULL, cases);

    /* A driver that does not list slices: the only cut board, or all of them. */
    static const visible_case unlisted[] = {{"MIG-d184f67c", "visible", "1", mig}};
    static const visible_case doubtful[] = {{"MIG-d184f67c", "visible", "12", mig | unknown},
                                            {NULL, "MIG-d184f67c", "12", mig | unknown},
                                            {"MIG-d184f67c", "0", "!", 0}};
    boards[1].mig_count = 0;
    CHECK_CASES("AAAA", NULL, unlisted);
    boards[2].mig_count = 0;
    CHECK_CASES("AAAA", NULL, doubtful);
}

static void test_no_boards(void)
{
    uint64_t notes;
    CHECK_TEXT(choose("", NULL, "visible", &notes), "");
    CHECK_TEXT(choose("", NULL, "all", &notes), "");
    static const char *const named[] = {"0", "GPU-1", "MIG-1"};
    for (size_t i = 0; i < 3; i++) {
        CHECK_TEXT(choose("", NULL, named[i], &notes), "!");
        CHECK(strstr(error.text, named[i]) && strstr(error.remedy, "no GPU of NVIDIA was found"));
        CHECK(strstr(error.remedy, "energy-meter sensors") && strstr(error.remedy, "gpus=\"visible\""));
    }
    CHECK_TEXT(choose("", NULL, "x", &notes), "!");
    CHECK(strstr(error.remedy, "indices such as") != NULL);
}

static void test_form_alone(void)
{
    static const struct {
        const char *gpus;
        int status;
    } cases[] = {
        {NULL, EM_OK},         {"visible", EM_OK},       {"all", EM_OK},          {"local_rank", EM_OK},
        {"7", EM_OK},          {"0,GPU-1,MIG-2", EM_OK}, {"cuda:3", EM_OK},       {"", EM_ERR_INVALID},
        {"x", EM_ERR_INVALID}, {"0,x", EM_ERR_INVALID},  {"0 1", EM_ERR_INVALID}, {"-1", EM_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__selection selection = {.gpus = cases[i].gpus, .error = &error};
        CHECK_INT(em__visible_check(&selection), cases[i].status);
    }
}

int main(void)
{
    RUN(test_cuda_list);
    RUN(test_fastest_first);
    RUN(test_gpus_option);
    RUN(test_refusals_list_the_boards);
    RUN(test_local_rank);
    RUN(test_slices);
    RUN(test_no_boards);
    RUN(test_form_alone);
    return CHECK_DONE();
}
