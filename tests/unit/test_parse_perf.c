/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The parsers of what kernels print of performance monitoring units, and of what they never should. */
#include "check.h"
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>

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

/* The kernel's scale is 2^-32 J: 10^6 / 2^32 µJ, in lowest terms 15625 / 2^26. */
static void scales(void)
{
    static const struct {
        const char *text;
        int shift, error;
        uint64_t num, den;
    } cases[] = {
        {"2.3283064365386962890625e-10\n", 6, 0, 15625, 67108864},
        {"2.3283064365386962890625e-10", 0, 0, 1, 4294967296},
        {"0.00023283064365386962890625", 0, 0, 15625, 67108864},
        {"23283064365386962890625e-32", 6, 0, 15625, 67108864},
        {"1e-9", 6, 0, 1, 1000},
        {"1.0E-9", 6, 0, 1, 1000},
        {"6.103515625e-05", 6, 0, 15625, 256},
        {"1", 6, 0, 1000000, 1},
        {"1.", 0, 0, 1, 1},
        {".5", 0, 0, 1, 2},
        {"1e+3", 0, 0, 1000, 1},
        {"100000000000000000000000000000000000000000000e-44", 0, 0, 1, 1},
        {"1.000000000000000000000000000000000000000000000000000000", 0, 0, 1, 1},
        {"0", 6, -ERANGE, 0, 0},
        {"0.0e5", 6, -ERANGE, 0, 0},
        {"1e30", 0, -ERANGE, 0, 0},
        {"1e-30", 0, -ERANGE, 0, 0},
        {"1e-99999999999999999999", 0, -ERANGE, 0, 0},
        {"1e1001", 0, -ERANGE, 0, 0},
        {"", 0, -EINVAL, 0, 0},
        {".", 0, -EINVAL, 0, 0},
        {"e5", 0, -EINVAL, 0, 0},
        {"1e", 0, -EINVAL, 0, 0},
        {"1e-", 0, -EINVAL, 0, 0},
        {"1e-+5", 0, -EINVAL, 0, 0},
        {"1..5", 0, -EINVAL, 0, 0},
        {"-1", 0, -EINVAL, 0, 0},
        {"+1", 0, -EINVAL, 0, 0},
        {" 1", 0, -EINVAL, 0, 0},
        {"1 2", 0, -EINVAL, 0, 0},
        {"1,5", 0, -EINVAL, 0, 0},
        {"nan", 0, -EINVAL, 0, 0},
        {"inf", 0, -EINVAL, 0, 0},
        {"0x1p-32", 0, -EINVAL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t num = 77, den = 78;
        const char *text = cases[i].text;
        if (!CHECK_INT(em__parse_scale(text, strlen(text), cases[i].shift, &num, &den), cases[i].error) ||
            !CHECK(num == (cases[i].error ? 77 : cases[i].num)) ||
            !CHECK(den == (cases[i].error ? 78 : cases[i].den))) {
            printf("# in: %s: %llu / %llu\n", text, (unsigned long long)num, (unsigned long long)den);
        }
    }
}

/* What has more digits than fit is rounded, as close to strtod's answer as a double is to the text. */
static void long_scales(void)
{
    static const char *const texts[] = {"2.3283064365386963e-10", "1.5258789062499999999999999999e-5",
                                        "3.14159265358979323846264338e-3", "9.999999999999999999999999999999999e2",
                                        "1.23456789012345678e-12"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t num = 0, den = 1;
        CHECK_INT(em__parse_scale(texts[i], strlen(texts[i]), 6, &num, &den), 0);
        double expected = strtod(texts[i], NULL) * 1e6;
        CHECK_NEAR((double)num / (double)den, expected, expected * 1e-11);
    }
}

int main(void)
{
    RUN(events);
    RUN(cpu_lists);
    RUN(scales);
    RUN(long_scales);
    return CHECK_DONE();
}
