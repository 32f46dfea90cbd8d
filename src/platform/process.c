/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The page that the kernel wipes in a forked child. Where it cannot, process ids are compared instead. */
#include "platform/process.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 4096,
    DEVICES = 240,
    MOST_BORROWED = 4, /* turns that reads without one put off */
    MOST_AHEAD = 1000, /* turns: a time further off is not of this clock */
    EARLY_PART = 8     /* of an interval: rounds are not punctual */
};

/* The turns of one device; of several where more are read than there is room for. */
struct device {
    _Atomic uint64_t key;     /* 0: nobody's */
    _Atomic uint64_t free_ns; /* from here on, turns are nobody's */
};

struct page {
    _Atomic uint64_t generation; /* 0: just wiped */
    struct device devices[DEVICES];
};
_Static_assert(sizeof(struct page) <= PAGE_BYTES, "one page");

static struct {
    _Atomic(struct page *) page;
    _Atomic uint64_t last;  /* of this process and its ancestors; survives a fork */
    _Atomic uint64_t owner; /* without a page: process id and generation in one word */
} shared;

/* Takes the page's place, for good, where there can be none. */
static struct page no_page;

static struct page *map_page(void)
{
    struct page *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return NULL;
    }
    /* An emulator that ignores advice accepts also what no kernel knows. */
    if (madvise(page, PAGE_BYTES, -1) == 0 || madvise(page, PAGE_BYTES, MADV_WIPEONFORK) != 0) {
        munmap(page, PAGE_BYTES);
        return NULL;
    }
    return page;
}

/* The first of all threads decides. */
static struct page *choose_page(void)
{
    struct page *page = map_page(), *chosen = NULL;
    if (!atomic_compare_exchange_strong(&shared.page, &chosen, page ? page : &no_page)) {
        if (page) {
            munmap(page, PAGE_BYTES);
        }
        return chosen;
    }
    return page ? page : &no_page;
}

static uint64_t next_generation(void)
{
    return atomic_fetch_add(&shared.last, 1) + 1;
}

static uint64_t generation_by_id(void)
{
    uint64_t id = (uint64_t)(uint32_t)getpid() << 32;
    uint64_t owner = atomic_load(&shared.owner);
    while (!owner || (owner ^ id) >> 32) {
        uint64_t mine = id | (uint32_t)next_generation();
        if (atomic_compare_exchange_strong(&shared.owner, &owner, mine)) {
            owner = mine;
        }
    }
    return owner & UINT32_MAX;
}

static uint64_t renew(void)
{
    struct page *page = atomic_load(&shared.page);
    if (!page) {
        page = choose_page();
    }
    if (page == &no_page) {
        return generation_by_id();
    }
    uint64_t generation = 0, mine = next_generation();
    return atomic_compare_exchange_strong(&page->generation, &generation, mine) ? mine : generation;
}

uint64_t em__process_generation(void)
{
    struct page *page = atomic_load_explicit(&shared.page, memory_order_acquire);
    uint64_t generation = page ? atomic_load_explicit(&page->generation, memory_order_relaxed) : 0;
    return generation ? generation : renew();
}

static struct device *find_device(uint64_t key)
{
    em__process_generation(); /* There is a page now. */
    struct page *page = atomic_load_explicit(&shared.page, memory_order_acquire);
    for (uint64_t i = 0; i < DEVICES; i++) {
        struct device *device = &page->devices[(key + i) % DEVICES];
        uint64_t owner = 0;
        if (atomic_compare_exchange_strong(&device->key, &owner, key) || owner == key) {
            return device;
        }
    }
    return &page->devices[key % DEVICES];
}

static uint64_t free_from(uint64_t free_ns, uint64_t now_ns, uint64_t interval_ns)
{
    int is_sane = free_ns > now_ns && (free_ns - now_ns) / interval_ns < MOST_AHEAD;
    return is_sane ? free_ns : now_ns;
}

uint64_t em__process_turn(uint64_t key, uint64_t now_ns, uint64_t interval_ns)
{
    struct device *device = find_device(key);
    uint64_t soonest_ns = now_ns + interval_ns - interval_ns / EARLY_PART, turn_ns;
    uint64_t free_ns = atomic_load(&device->free_ns);
    do {
        turn_ns = free_from(free_ns, now_ns, interval_ns);
        turn_ns = turn_ns > soonest_ns ? turn_ns : soonest_ns;
    } while (!atomic_compare_exchange_weak(&device->free_ns, &free_ns, turn_ns + interval_ns));
    return turn_ns;
}

void em__process_borrow(uint64_t key, uint64_t now_ns, uint64_t interval_ns)
{
    struct device *device = find_device(key);
    uint64_t free_ns = atomic_load(&device->free_ns), next_ns;
    do {
        next_ns = free_from(free_ns, now_ns, interval_ns);
        next_ns += next_ns - now_ns < MOST_BORROWED * interval_ns ? interval_ns : 0;
    } while (!atomic_compare_exchange_weak(&device->free_ns, &free_ns, next_ns));
}

int64_t em__process_id(void)
{
    return (int64_t)getpid();
}
