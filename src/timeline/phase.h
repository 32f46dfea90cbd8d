/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* When a counter updates. Counters that move every 20 or 100 ms belong to the instant of their last update, not to that
 * of the read: this learns period and phase from a few closely spaced readings, and tells when it wants them. Pure. */
#ifndef EM_TIMELINE_PHASE_H
#define EM_TIMELINE_PHASE_H

#include <stdint.h>

enum { EM__PHASE_SEEN = 32, EM__PHASE_SWEEP = 8 };

typedef struct {
    uint64_t documented_ns;      /* at most twice the true period; 0: nothing is known, and nothing is learned */
    double origin_ns, period_ns; /* the line through what was seen: update n at origin + n × period */
    double drift;                /* what the line may be off, in ns per update */
    uint64_t error_ns;           /* an update lies within this of the line, nearly always */
    double middle_ns,
        middle_blur_ns; /* of what was seen, where the line is surest: one standard deviation of an update there */
    int is_known;
    uint64_t read_ns; /* the last reading */
    double seen_index[EM__PHASE_SEEN];
    uint64_t seen_ns[EM__PHASE_SEEN]; /* instants of updates, the newest EM__PHASE_SEEN */
    uint64_t blur_ns[EM__PHASE_SEEN]; /* half the time between the readings around each */
    uint32_t seen_count;
    uint64_t search_until_ns; /* 0: not searching */
    uint64_t pause_ns;        /* to the next look; grows while the line holds */
    uint64_t center_ns;       /* the update that is looked for now; 0: none */
    uint64_t half_ns;         /* how far around it */
    uint64_t next_ns;         /* the reading that is wanted next */
    uint32_t misses;
    uint64_t told_ns, told_blur_ns; /* the last instant that was answered, and its standard deviation */
} em__phase;

void em__phase_init(em__phase *phase, uint64_t documented_ns);

/* The counter was read, and had moved since the reading before, or had not. Returns the instant of the last update at
 * this reading, as well as it is known; 0: unknown, or too close to an update to say. */
uint64_t em__phase_read(em__phase *phase, uint64_t t_ns, int has_moved);

/* The same for a reading that came in its own time while nobody could look as planned: it says nothing of the line. */
uint64_t em__phase_glance(em__phase *phase, uint64_t t_ns, int has_moved);

/* When to read it next: at the time that is due anyway, moved into the middle between two updates, or before that. */
uint64_t em__phase_plan(const em__phase *phase, uint64_t now_ns, uint64_t due_ns);

/* The last update at or before a time, by the line. Only if is_known. */
uint64_t em__phase_instant(const em__phase *phase, uint64_t t_ns);

#endif
