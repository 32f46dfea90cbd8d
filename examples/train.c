/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Two epochs of three batches under the meter: cc train.c $(pkg-config --cflags --libs energy_meter) */
#define _POSIX_C_SOURCE 200809L

#include <energy_meter.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void train_step(double duration_s)
{
    double end_s = now_s() + duration_s;
    while (now_s() < end_s) {
    }
}

static void train(em_meter *meter)
{
    const em_spec epoch_spec = {.size = sizeof epoch_spec, .kind = EM_WINDOW_EPOCH};
    const em_spec batch_spec = {.size = sizeof batch_spec, .kind = EM_WINDOW_BATCH};
    for (int epoch = 0; epoch < 2; epoch++) {
        em_window epoch_window, batch_window;
        em_window_begin(meter, &epoch_spec, &epoch_window);
        for (int batch = 0; batch < 3; batch++) {
            em_window_begin(meter, &batch_spec, &batch_window);
            train_step(0.3);
            em_result result = {.size = sizeof result};
            em_window_end(meter, batch_window, &result);
            printf("Epoch %d Batch %d: %.2f J, %.4f gCO2\n", epoch, batch, result.total.energy_j, result.carbon_g);
        }
        em_window_end(meter, epoch_window, NULL);
    }
}

static int print_summary(em_meter *meter)
{
    em_summary *summary = NULL;
    int status = em_summary_create(meter, 2000000000, &summary);
    char *text = NULL;
    if (status == EM_OK) {
        status = em_summary_format(summary, EM_FORMAT_TEXT, &text, NULL);
    }
    if (status == EM_OK) {
        printf("\n%s", text);
    }
    em_text_destroy(text);
    em_summary_destroy(summary);
    return status;
}

int main(void)
{
    em_options options;
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = 50000000;
    options.cpu_tdp_w = 65.0;
    options.gpu_tdp_w = 200.0;
    options.carbon_g_per_kwh = 450.0;

    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    if (em_meter_create(&options, &error, &meter) != EM_OK) {
        fprintf(stderr, "%s; %s\n", error.text, error.remedy);
        return EXIT_FAILURE;
    }
    printf("Device detected: %s\n", em_meter_device(meter));
    if (em_meter_gpu_name(meter)) {
        printf("GPU name: %s\n", em_meter_gpu_name(meter));
    }
    train(meter);
    int status = print_summary(meter);
    em_meter_destroy(meter);
    return status == EM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
