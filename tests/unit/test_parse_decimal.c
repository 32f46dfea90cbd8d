/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Decimal numbers: scales of performance monitoring units, and what outside meters write. */
#include "check.h"
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Powers of ten of the units that meters use; digits and no double: 2^53 + 1 is the first integer that a double loses. */
static void quantities(void)
{
    static const struct {
        const char *text;
        int shift, error;
        uint64_t value, step;
    } cases[] = {
        {"123.456\n", 6, 0, 123456000, 1000},
        {"123.456", 3, 0, 123456, 1},
        {"123.4567", 3, 0, 123456, 1},
        {"9007199254.740993", 6, 0, 9007199254740993, 1},
        {"9007199254740993", 0, 0, 9007199254740993, 1},
        {"18446744073709551615", 0, 0, UINT64_MAX, 1},
        {"18446744073.709551615", 9, 0, UINT64_MAX, 1},
        {"0", 6, 0, 0, 1000000},
        {"-0.0", 6, 0, 0, 100000},
        {"+5", 0, 0, 5, 1},
        {" \t12.5 kWh \r\n", 12, 0, 12500000000000, 100000000000},
        {"1.5e3", 0, 0, 1500, 100},
        {"1500E-3", 6, 0, 1500000, 1000},
        {"1e-30", 12, 0, 0, 1},
        {"0e999", 6, 0, 0, 1},
        {"12kWh", 0, 0, 12, 1},
        {".5", 1, 0, 5, 1},
        {"7.", 0, 0, 7, 1},
        {"18446744073709551616", 0, -ERANGE, 0, 0},
        {"1e30", 0, -ERANGE, 0, 0},
        {"99999999999999999999999999999999999999999999", 0, -ERANGE, 0, 0},
        {"-1", 0, -ERANGE, 0, 0},
        {"-0.001", 0, -ERANGE, 0, 0},
        {"", 6, -EINVAL, 0, 0},
        {" \n", 6, -EINVAL, 0, 0},
        {"kWh", 6, -EINVAL, 0, 0},
        {"12 W", 6, -EINVAL, 0, 0},
        {"12 kW", 6, -EINVAL, 0, 0},
        {"12 kWh kWh", 6, -EINVAL, 0, 0},
        {"kWh kWh", 6, -EINVAL, 0, 0},
        {"12 kwh", 6, -EINVAL, 0, 0},
        {"1 2", 6, -EINVAL, 0, 0},
        {"1\n2", 6, -EINVAL, 0, 0},
        {"1,5", 6, -EINVAL, 0, 0},
        {"+-1", 6, -EINVAL, 0, 0},
        {"--1", 6, -EINVAL, 0, 0},
        {"nan", 6, -EINVAL, 0, 0},
        {"0x12", 6, -EINVAL, 0, 0},
        {"1.2.3", 6, -EINVAL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 77, step = 78;
        const char *text = cases[i].text;
        int error = em__parse_quantity(text, strlen(text), "kWh", cases[i].shift, &value, &step);
        if (!CHECK_INT(error, cases[i].error) || !CHECK(value == (error ? 77 : cases[i].value)) ||
            !CHECK(step == (error ? 78 : cases[i].step))) {
            printf("# in: %s: %llu, step %llu\n", text, (unsigned long long)value, (unsigned long long)step);
        }
    }
}

int main(void)
{
    RUN(scales);
    RUN(long_scales);
    RUN(quantities);
    return CHECK_DONE();
}
