/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The parsers of what kernels print of performance monitoring units, and of what they never should. */
#include "check.h"
#include "platform/parse.h"

#include <errno.h>

static void events(void)
{
    static const struct {
        const char *text;
        int error;
        uint64_t config;
    } cases[] = {
        {"event=0x02", 0, 2},
        {"event=0x02\n", 0, 2},
        {"event=0x00", 0, 0},
        {"event=0XfF", 0, 255},
        {"event=17", 0, 17},
        {"event=0", 0, 0},
        {"event=0xffffffffffffffff", 0, UINT64_MAX},
        {"event=0x10000000000000000", -ERANGE, 0},
        {"event=18446744073709551616", -ERANGE, 0},
        {"event=", -EINVAL, 0},
        {"event=0x", -EINVAL, 0},
        {"event=0xg", -EINVAL, 0},
        {"event=-1", -EINVAL, 0},
        {"event= 1", -EINVAL, 0},
        {"event=0x02,umask=0x01", -EINVAL, 0},
        {"config=0x02", -EINVAL, 0},
        {"event", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"\n", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t config = 77;
        if (!CHECK_INT(em__parse_event(cases[i].text, strlen(cases[i].text), &config), cases[i].error)) {
            printf("# in: %s\n", cases[i].text);
        }
        CHECK(config == (cases[i].error ? 77 : cases[i].config));
    }
}

static void cpu_lists(void)
{
    static const struct {
        const char *text;
        int error;
        size_t count;
        uint32_t cpus[8];
    } cases[] = {
        {"0\n", 0, 1, {0}},
        {"0,24", 0, 2, {0, 24}},
        {"0-3,8\n", 0, 5, {0, 1, 2, 3, 8}},
        {"7-7", 0, 1, {7}},
        {"2,0", 0, 2, {2, 0}},
        {"2147483647", 0, 1, {2147483647}},
        {"0-7", 0, 8, {0, 1, 2, 3, 4, 5, 6, 7}},
        {"0-8", -ERANGE, 0, {0}},
        {"0-7,9", -ERANGE, 0, {0}},
        {"0-2147483647", -ERANGE, 0, {0}},
        {"2147483648", -ERANGE, 0, {0}},
        {"99999999999999999999", -ERANGE, 0, {0}},
        {"3-1", -EINVAL, 0, {0}},
        {"0,", -EINVAL, 0, {0}},
        {",0", -EINVAL, 0, {0}},
        {"0,,1", -EINVAL, 0, {0}},
        {"0-", -EINVAL, 0, {0}},
        {"-1", -EINVAL, 0, {0}},
        {"0-1-2", -EINVAL, 0, {0}},
        {"0 1", -EINVAL, 0, {0}},
        {"0, 1", -EINVAL, 0, {0}},
        {"0x1", -EINVAL, 0, {0}},
        {"", -EINVAL, 0, {0}},
        {"\n", -EINVAL, 0, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t cpus[8] = {77, 77, 77, 77, 77, 77, 77, 77};
        size_t count = 77;
        if (!CHECK_INT(em__parse_cpu_list(cases[i].text, strlen(cases[i].text), cpus, 8, &count), cases[i].error)) {
            printf("# in: %s\n", cases[i].text);
        }
        CHECK_INT(count, cases[i].error ? 77 : cases[i].count);
        for (size_t j = 0; j < 8; j++) {
            CHECK_INT(cpus[j], !cases[i].error && j < count ? cases[i].cpus[j] : 77);
        }
    }
}

int main(void)
{
    RUN(events);
    RUN(cpu_lists);
    return CHECK_DONE();
}
