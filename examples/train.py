# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors

from energy_meter import EnergyMeter
import time
meter = EnergyMeter(sample_interval=0.05, cpu_tdp_w=65.0, gpu_tdp_w=200.0, carbon_intensity_g_per_kwh=450.0)
print(f"Device Detected: {meter.device.upper()}")
if meter.device == 'gpu':
    print(f"GPU Name: {meter._get_gpu_name()}")
def train_step(duration):
    t_end = time.time() + duration
    while time.time() < t_end: pass
for epoch in range(2):
    with meter.epoch():
        for batch_idx in range(3):
            with meter.batch():
                train_step(0.3)
            last = meter.last_batch()
            print(f"Epoch {epoch} Batch {batch_idx}: {last['energy_j']:.2f} J, {last['carbon_g']:.4f} gCO2")
print(meter.summary())
