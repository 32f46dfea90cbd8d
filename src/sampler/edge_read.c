/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Choosing under the owner's lock, reading without it, paying with what the clock says. */
#include "sampler/edge_read.h"

enum {
    CLOCK_PAIRS = 16,
    /* What a call takes before its first look at the clock and after its last one, in looks: with cold caches, after
     * 5 ms of other work, 0.3 to 0.6 µs where a look takes 25 to 40 ns (bench/edges.c). */
    UNSEEN_LOOKS = 12
};

static uint64_t now_of(const em__edge_reader *reader)
{
    return reader->host->ops->monotonic_ns(reader->host);
}

static uint64_t clock_cost_ns(const em__edge_reader *reader)
{
    uint64_t least_ns = UINT64_MAX;
    for (int i = 0; i < CLOCK_PAIRS; i++) {
        uint64_t before_ns = now_of(reader), cost_ns = now_of(reader) - before_ns;
        least_ns = cost_ns < least_ns ? cost_ns : least_ns;
    }
    return least_ns;
}

void em__edge_init(em__edge_reader *reader, em__host *host, em__slot *const *slots, size_t slot_count, double limit,
                   em__edge_policy policy)
{
    reader->host = host;
    reader->slots = slots;
    reader->slot_count = slot_count;
    reader->order_count = slot_count < EM__EDGE_SLOTS ? slot_count : EM__EDGE_SLOTS;
    for (size_t i = 0; i < reader->order_count; i++) {
        reader->order[i] = (unsigned char)i;
    }
    reader->policy = policy;
    reader->unseen_ns = UNSEEN_LOOKS * clock_cost_ns(reader);
    reader->since_ns = now_of(reader);
    reader->spent_ns = 0;
    atomic_init(&reader->owed_ns, 0);
    em__budget_init(&reader->budget, limit, reader->since_ns);
}

void em__edge_leave(em__edge_reader *reader, uint64_t enter_ns, const em__edge_plan *plan)
{
    int64_t inside_ns = (int64_t)(now_of(reader) - enter_ns + reader->unseen_ns);
    int64_t paid_ns = plan ? (int64_t)plan->cost_ns : 0;
    atomic_fetch_add_explicit(&reader->owed_ns, inside_ns - paid_ns, memory_order_relaxed);
}

static void spend(em__edge_reader *reader, int64_t spent_ns)
{
    em__budget_spend(&reader->budget, spent_ns);
    reader->spent_ns += spent_ns;
}

static void collect(em__edge_reader *reader)
{
    spend(reader, atomic_exchange_explicit(&reader->owed_ns, 0, memory_order_relaxed));
}

static uint64_t cost_of(const em__slot *slot)
{
    return atomic_load_explicit(&slot->cost_ns, memory_order_relaxed);
}

static int may_be_read(em__slot *slot)
{
    return atomic_load_explicit(&slot->is_wanted, memory_order_relaxed) &&
           !atomic_load_explicit(&slot->is_retired, memory_order_relaxed) &&
           !atomic_load_explicit(&slot->is_gone, memory_order_relaxed);
}

static void sort(em__edge_reader *reader)
{
    for (size_t i = 1; i < reader->order_count; i++) {
        unsigned char moved = reader->order[i];
        uint64_t cost_ns = cost_of(reader->slots[moved]);
        size_t j = i;
        for (; j > 0 && cost_of(reader->slots[reader->order[j - 1]]) > cost_ns; j--) {
            reader->order[j] = reader->order[j - 1];
        }
        reader->order[j] = moved;
    }
}

static void put_in_order(em__edge_reader *reader, int is_off)
{
    uint64_t round_ns = 0, most_ns = 0;
    for (size_t i = 0; i < reader->order_count; i++) {
        em__slot *slot = reader->slots[reader->order[i]];
        uint64_t cost_ns = cost_of(slot);
        is_off |= cost_ns + cost_ns / 4 < most_ns; /* Costs of like devices take turns in being the least. */
        most_ns = cost_ns > most_ns ? cost_ns : most_ns;
        round_ns += may_be_read(slot) ? cost_ns : 0;
    }
    if (is_off) {
        sort(reader);
    }
    em__budget_set_round(&reader->budget, round_ns);
}

void em__edge_learn(em__edge_reader *reader)
{
    put_in_order(reader, 1);
}

static int is_payable(const em__edge_reader *reader, uint64_t cost_ns)
{
    return reader->policy == EM__EDGES_ALWAYS ||
           (reader->policy == EM__EDGES_BY_BUDGET && cost_ns > 0 && em__budget_covers(&reader->budget, cost_ns));
}

static void choose(em__edge_reader *reader, em__edge_plan *plan)
{
    plan->is_whole = reader->slot_count == reader->order_count;
    for (size_t i = 0; i < reader->order_count; i++) {
        em__slot *slot = reader->slots[reader->order[i]];
        if (!may_be_read(slot)) {
            continue;
        }
        if (!atomic_load_explicit(&slot->is_quick, memory_order_relaxed)) {
            plan->is_whole = 0;
            continue;
        }
        if (!is_payable(reader, plan->cost_ns + cost_of(slot))) {
            plan->is_whole = 0;
            return;
        }
        plan->mask |= UINT64_C(1) << reader->order[i];
        plan->chosen[plan->count++] = reader->order[i];
        plan->cost_ns += cost_of(slot);
    }
}

void em__edge_choose(em__edge_reader *reader, uint64_t now_ns, int is_begin, em__edge_plan *ret_plan)
{
    ret_plan->mask = ret_plan->cost_ns = 0;
    ret_plan->count = 0;
    ret_plan->is_whole = 0;
    em__budget_fill(&reader->budget, now_ns);
    collect(reader);
    if (!is_payable(reader, 1)) {
        return;
    }
    if (is_begin) {
        put_in_order(reader, 0);
    }
    choose(reader, ret_plan);
    spend(reader, (int64_t)ret_plan->cost_ns);
}

int em__edge_read_slot(em__slot *slot, int is_whole, uint64_t *now_ns, em__deliver deliver, void *context)
{
    int was_read = 0;
    if (pthread_mutex_trylock(&slot->lock) != 0) {
        return 0;
    }
    if (slot->device && !atomic_load(&slot->is_retired) && !atomic_load(&slot->is_gone)) {
        atomic_store(&slot->caller_ns, *now_ns ? *now_ns : 1);
        em__slot_read(slot, slot->fast.channels | (is_whole ? slot->slow.channels : slot->until_edge), now_ns);
        was_read = atomic_exchange(&slot->caller_ns, 0) != 0; /* else the sampler has given it up meanwhile */
        if (was_read) {
            deliver(context, slot, *now_ns, slot->readings);
        }
    }
    pthread_mutex_unlock(&slot->lock);
    return was_read;
}

uint64_t em__edge_read(em__edge_reader *reader, const em__edge_plan *plan, uint64_t now_ns, em__deliver deliver,
                       void *context)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (em__edge_read_slot(reader->slots[plan->chosen[i]], 0, &now_ns, deliver, context)) {
            mask |= UINT64_C(1) << plan->chosen[i];
        }
    }
    return mask;
}

uint64_t em__edge_spent_ns(em__edge_reader *reader)
{
    collect(reader);
    return reader->spent_ns > 0 ? (uint64_t)reader->spent_ns : 0;
}

void em__edge_restart(em__edge_reader *reader, uint64_t now_ns)
{
    collect(reader);
    reader->spent_ns = 0;
    reader->since_ns = now_ns;
}
