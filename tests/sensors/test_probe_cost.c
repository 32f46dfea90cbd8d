/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What it costs to look at a large machine, in files that are opened, folders that are listed and links that are read. */
#include "counting_host.h"
#include "probing.h"

#define CLASS "/sys/class/powercap/"
#define CHIP "/sys/class/hwmon/hwmon"

static em__probe probe_all(em__host *host)
{
    em__selection selection = everything();
    em__probe probe = {0};
    CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
    return probe;
}

/* Frees all and sees that nothing is left open and nobody holds the host. */
static void finish(counting_host *host, em__probe *probe)
{
    em__sensors_free(probe);
    CHECK_INT(host->opened, host->closed);
    CHECK_INT(host->base.references, 1);
    em__host_unref(&host->base);
}

/* Probing costs a number of file operations that grows with the tree, not with its square. */
static void test_cost_is_linear(void)
{
    int opened[2];
    for (int large = 0; large < 2; large++) {
        em__host *machine = empty_machine(0);
        for (int i = 2; i < (large ? 202 : 102); i++) {
            char path[100];
            snprintf(path, sizeof path, CLASS "intel-rapl:%x/name", i);
            put(machine, path, "package-9\n");
            snprintf(path, sizeof path, CLASS "intel-rapl:%x/energy_uj", i);
            put(machine, path, "1\n");
            snprintf(path, sizeof path, "/sys/bus/pci/devices/0000:%02x:00.0/vendor", i);
            put(machine, path, "0x8086\n");
        }
        counting_host *host = count_on(machine);
        em__probe probe = probe_all(&host->base);
        opened[large] = host->opened + host->listed;
        finish(host, &probe);
    }
    CHECK(opened[1] - opened[0] <= 100 * 10);
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* A chip with 2 numbers that are measured and 20 that are not, a disabled one, and one over two files. */
static void put_chip(em__host *machine, int number)
{
    static const char *const names[] = {"ina3221\n", "ibmpowernv\n", "nvme\n", "amdgpu\n", "xe\n"};
    char path[100];
    snprintf(path, sizeof path, CHIP "%d/name", number);
    put(machine, path, names[number % 5]);
    for (int i = 1; i <= 20; i++) {
        snprintf(path, sizeof path, CHIP "%d/temp%d_input", number, i);
        put(machine, path, "40000\n");
    }
    static const char *const files[] = {"power1_input", "power1_label",  "power1_cap", "energy2_input", "energy2_label",
                                        "power3_input", "power3_enable", "in2_input",  "in2_label",     "curr2_input"};
    static const char *const texts[] = {"5000000\n", "System\n", "90000000\n", "77\n",  "pkg\n",
                                        "1\n",       "0\n",      "5000\n",     "CPU\n", "300\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, CHIP "%d/%s", number, files[i]);
        put(machine, path, texts[i]);
    }
}

/* For each chip: two lists, two links, its name, and at most two files (label, enable) and a value for each number, a limit,
 * and for a GPU its identity and whether it sleeps. No file twice. */
static void test_chips_are_looked_at_once(void)
{
    enum { FEW = 50, MANY = 100, EACH = 12 };
    int operations[2];
    for (int many = 0; many < 2; many++) {
        em__host *machine = empty_machine(0);
        for (int i = 0; i < (many ? MANY : FEW); i++) {
            put_chip(machine, i);
        }
        counting_host *host = count_on(machine);
        em__probe probe = probe_all(&host->base);
        operations[many] = host->opened + host->listed + host->linked;
        qsort(host->chip_paths, host->chip_count, sizeof *host->chip_paths, compare_paths);
        CHECK(host->chip_count > FEW && host->chip_count < 4096);
        for (size_t i = 1; i < host->chip_count; i++) {
            if (!CHECK(strcmp(host->chip_paths[i - 1], host->chip_paths[i]) != 0)) {
                printf("#   twice: %s\n", host->chip_paths[i]);
            }
        }
        finish(host, &probe);
    }
    CHECK(operations[1] - operations[0] <= (MANY - FEW) * EACH);
    printf("# %d operations for %d chips, %d for %d\n", operations[0], FEW, operations[1], MANY);
}

int main(void)
{
    RUN(test_cost_is_linear);
    RUN(test_chips_are_looked_at_once);
    return CHECK_DONE();
}
