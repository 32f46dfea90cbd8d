/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A channel's facts beside the source that it reads, and a ledger that is fed from such channels by hand: the engine
 * without files, devices, clocks and threads. */
#ifndef TESTS_RIG_CHANNEL_H
#define TESTS_RIG_CHANNEL_H

#include "ledger/ledger.h"
#include "ledger/snapshot.h"
#include "rig/source.h"

typedef struct {
    em__channel facts; /* scale: the source's µJ or mW to raw is its inverse */
    const char *sensor;
    int rank;
    rig_source source;
} rig_channel;

/* A channel of one µJ or mW per count, 5 % gain, an update each period of the source, a ceiling of 2 kW. place: socket
 * or board. Its domain follows from what it covers. */
rig_channel rig_channel_make(const char *name, em__covers covers, int32_t place, int32_t kind, rig_source source);
em__reading rig_channel_read(const rig_channel *channel, uint64_t now_ns);

enum { RIG_CHANNELS = 16 };

typedef struct {
    em__ledger ledger;
    rig_channel channels[RIG_CHANNELS];
    const em__channel *facts[RIG_CHANNELS];
    const char *sensors[RIG_CHANNELS];
    int ranks[RIG_CHANNELS];
    size_t count;
} rig_ledger;

/* setup's channels, count and places of them are filled in; NULL: 100 ms, a patience of 1 s. Ends the program when there
 * is no memory. */
void rig_ledger_init(rig_ledger *rig, const rig_channel *channels, size_t count, const em__ledger_setup *setup);
void rig_ledger_free(rig_ledger *rig);

/* One event each, and then all that is ready settles. */
int rig_ledger_apply(rig_ledger *rig, em__event event);
void rig_ledger_read(rig_ledger *rig, size_t channel, uint64_t t_ns);
void rig_ledger_read_all(rig_ledger *rig, uint64_t t_ns); /* all that is to be read */
em_window rig_ledger_begin(rig_ledger *rig, int32_t kind, const char *name, uint64_t t_ns);
void rig_ledger_end(rig_ledger *rig, em_window window, uint64_t t_ns);

/* What is known at now_ns; channels may be NULL, else it has room for all. */
em_result rig_ledger_result(rig_ledger *rig, em_window window, uint64_t now_ns, em_energy *channels);
/* The caller's. */
em_summary *rig_ledger_summary(rig_ledger *rig);

#endif
