/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Models as /proc/cpuinfo and drivers write them, and every name of the tables through the look-up. */
#include "check.h"
#include "data/power.h"

#include <stdlib.h>

static void check_cpu(const char *model, double each_w, uint32_t cores)
{
    em__power power = {0};
    if (!CHECK(em__power_of_cpu(model, &power))) {
        printf("# %s\n", model);
        return;
    }
    CHECK_NEAR(power.each_w, each_w, 0);
    CHECK_INT(power.cores, cores);
    CHECK(power.key[0] && power.origin[0]);
}

/* As the makers' data sheets say. */
static void test_cpus(void)
{
    check_cpu("Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz", 125, 20);
    check_cpu("AMD EPYC 7763 64-Core Processor", 280, 64);
    check_cpu("Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz", 145, 18);
    check_cpu("12th Gen Intel(R) Core(TM) i7-12700K", 125, 0);
    check_cpu("AMD Ryzen 9 7950X 16-Core Processor", 170, 16);
    check_cpu("AMD Opteron(tm) Processor 6376", 115, 16);
    check_cpu("AMD Ryzen Threadripper 1950X 16-Core Processor", 180, 16);
    check_cpu("AMD Ryzen 7 4700U with Radeon Graphics", 15, 8);
    check_cpu("Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz", 65, 0);
    check_cpu("AMD A10-7850K Radeon R7, 12 Compute Cores 4C+8G", 95, 0);
    check_cpu("AMD FX(tm)-8350 Eight-Core Processor", 125, 0);
    check_cpu("Intel\xc2\xae Xeon\xc2\xae\xc2\xa0Gold 6230", 125, 20);
}

/* Hypervisors hide the model, and near names are other products. */
static void test_what_stays_unknown(void)
{
    static const char *const names[] = {"Intel(R) Xeon(R) CPU @ 2.20GHz",
                                        "AMD EPYC-Milan Processor",
                                        "AMD EPYC Processor (with IBPB)",
                                        "Intel Xeon Processor (Skylake, IBRS)",
                                        "Common KVM processor",
                                        "QEMU Virtual CPU version 2.5+",
                                        "AMD EPYC",
                                        "Intel(R) Core(TM) i7",
                                        "Intel(R) Xeon(R) Gold 623",
                                        "ARMv8 Processor rev 1 (v8l)",
                                        "CPU",
                                        "(R)",
                                        "@",
                                        " ",
                                        "\xff\xc2"};
    em__power power;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!CHECK(!em__power_of_cpu(names[i], &power))) {
            printf("# %s\n", names[i]);
        }
        CHECK(!em__power_of_gpu(names[i], &power));
    }
    char longest[400];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(!em__power_of_cpu(longest, &power) && !em__power_of_gpu(longest, &power));
    memset(longest, '(', sizeof longest - 1);
    CHECK(!em__power_of_cpu(longest + 200, &power) && !em__power_of_gpu(longest + 200, &power));
    CHECK(!em__power_of_cpu("", &power) && !em__power_of_gpu("", &power));
}

static void check_gpu(const char *model, double each_w)
{
    em__power power = {0};
    if (!CHECK(em__power_of_gpu(model, &power))) {
        printf("# %s\n", model);
    }
    CHECK_NEAR(power.each_w, each_w, 0);
}

/* A board of several GPUs counts in parts, as NVML lists them: a K80 is 300 W, a K10 225 W. */
static void test_gpus(void)
{
    check_gpu("NVIDIA H200", 700);
    check_gpu("Tesla V100-SXM2-16GB", 300);
    check_gpu("NVIDIA A100-SXM4-40GB", 400);
    check_gpu("NVIDIA GeForce RTX 4090", 450);
    check_gpu("Tesla T4", 70);
    check_gpu("Tesla K80", 150);
    check_gpu("Tesla K10.G1.8GB", 112.5);
    check_gpu("AMD GPU 1002:74a1", 750);
    check_gpu("Intel GPU 8086:56a5", 75);
}

/* --------------------------------------------------------------------------------------------------- the whole tables */

/* The next field of a line of CSV, unquoted in place. */
static char *field(char **line)
{
    char *from = *line, *to = from, *begin = from;
    int is_quoted = *from == '"';
    from += is_quoted;
    while (*from && *from != '\n' && (is_quoted || *from != ',')) {
        if (is_quoted && from[0] == '"' && from[1] != '"') {
            is_quoted = 0;
            from++;
            continue;
        }
        from += is_quoted && from[0] == '"';
        *to++ = *from++;
    }
    *line = *from == ',' ? from + 1 : from;
    *to = '\0';
    return begin;
}

static FILE *open_table(const char *name)
{
    char path[4096], line[1024];
    const char *root = getenv("EM_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/data/%s", root ? root : ".", name);
    FILE *file = fopen(path, "re");
    if (CHECK(file != NULL)) {
        CHECK(fgets(line, sizeof line, file) != NULL);
    }
    return file;
}

/* What the build made of the names by its own rules is found by the library's. */
static void test_every_cpu(void)
{
    char line[1024];
    int count = 0, missed = 0, wrong = 0;
    FILE *file = open_table("cpu_tdp.csv");
    while (file && fgets(line, sizeof line, file)) {
        char *at = line;
        const char *model = field(&at), *watts = field(&at);
        em__power power;
        count++;
        if (!em__power_of_cpu(model, &power)) {
            printf("# not found: %s\n", model);
            missed++;
        } else {
            wrong += fabs(power.each_w - strtod(watts, NULL)) > 0.0005;
        }
    }
    CHECK(count > 5000 && missed <= 7);
    CHECK_INT(wrong, 0);
    if (file) {
        fclose(file);
    }
}

static void test_every_gpu(void)
{
    char line[1024];
    int count = 0, missed = 0, wrong = 0;
    FILE *file = open_table("gpu_tdp.csv");
    while (file && fgets(line, sizeof line, file)) {
        char *at = line;
        const char *vendor = field(&at);
        field(&at);
        const char *model = field(&at), *watts = field(&at);
        em__power power;
        int is_known = strcmp(vendor, "NVIDIA") == 0 || strcmp(vendor, "AMD") == 0 || strcmp(vendor, "Intel") == 0;
        count++;
        if (!em__power_of_gpu(model, &power)) {
            missed += is_known;
            continue;
        }
        double part = power.each_w / strtod(watts, NULL);
        wrong += !(fabs(part - 1) < 1e-6 || fabs(part - 0.5) < 1e-6 || fabs(part - 0.25) < 1e-6);
    }
    CHECK(count > 280);
    CHECK_INT(missed, 1); /* The Grace Hopper, whose figure is of the whole module. */
    CHECK_INT(wrong, 0);
    if (file) {
        fclose(file);
    }
}

int main(void)
{
    RUN(test_cpus);
    RUN(test_what_stays_unknown);
    RUN(test_gpus);
    RUN(test_every_cpu);
    RUN(test_every_gpu);
    return CHECK_DONE();
}
