/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Why a channel has its role, in a sentence. */
#include "core/text.h"
#include "energy_meter.h"
#include "metrics/silicon.h"

enum { NONE = EM__NO_CHANNEL };

static const em__channel *facts_of(const em__survey *s, int32_t i)
{
    return s->all[i].facts;
}

static void say(em__role *role, const char *sentence, const char *known)
{
    em__print(role->reason, sizeof role->reason, "%s%s%s", sentence, sentence[0] && known[0] ? "; " : "", known);
}

void em__silicon_explain(const em__survey *s, int32_t i)
{
    em__role *role = &s->out[i];
    const em__channel *facts = facts_of(s, i);
    const char *of = role->of == NONE ? "" : s->out[role->of].name;
    char sentence[EM__TEXT_SIZE] = "";
    switch (role->role) {
    case EM_ROLE_UNREADABLE:
        if (facts->status == EM_OK) {
            em__copy(sentence, sizeof sentence, "its readings ended while it was measured");
        } else if (!facts->reason[0]) {
            em__copy(sentence, sizeof sentence, em_status_text(facts->status));
        }
        break;
    case EM_ROLE_PLATFORM:
        em__copy(sentence, sizeof sentence,
                 facts->covers == EM__COVERS_UNKNOWN ? "never added, since it may be counted elsewhere"
                 : facts->covers == EM__COVERS_PIECE
                     ? "inside something that nothing here measures; a part never stands "
                       "for its whole"
                     : "holds more than CPUs, memory and GPUs, so it is never added");
        break;
    case EM_ROLE_PART:
        if ((facts->covers == EM__COVERS_DRAM || facts->covers == EM__COVERS_ALL_MEMORY) && role->of == s->model) {
            em__print(sentence, sizeof sentence, "%s is of the whole machine, memory included", of);
        } else if (role->of == NONE) {
            em__copy(sentence, sizeof sentence,
                     "inside a package that shows no counter; a part never stands for its whole");
        } else if (s->out[role->of].role == EM_ROLE_UNREADABLE) {
            em__print(sentence, sizeof sentence, "inside %s, which cannot be read; a part never stands for its whole",
                      of);
        } else {
            em__print(sentence, sizeof sentence, "inside %s", of);
        }
        break;
    case EM_ROLE_MIRROR:
        if (facts->covers == EM__COVERS_DOMAIN) {
            em__print(sentence, sizeof sentence, "never added to %s, which this machine measures itself", of);
        } else if (em__silicon_stands_in(facts) && facts_of(s, role->of)->covers == EM__COVERS_DOMAIN) {
            em__print(sentence, sizeof sentence, "estimates what %s measures", of);
        } else if (facts->covers == EM__COVERS_ALL_CPUS && role->of == s->first_cpu) {
            em__print(sentence, sizeof sentence, "covers all CPUs, so it would count %s twice", of);
        } else if (facts->covers == EM__COVERS_ALL_MEMORY && role->of == s->first_memory) {
            em__print(sentence, sizeof sentence, "covers all memory, so it would count %s twice", of);
        } else if (s->all[i].twin) {
            em__print(sentence, sizeof sentence, "counts as %s does to the last unit, so it is one counter shown twice",
                      of);
        } else if (facts->covers == EM__COVERS_DIE_ALIAS) {
            em__print(sentence, sizeof sentence, "reads the counter of its whole package, as %s does", of);
        } else {
            em__print(sentence, sizeof sentence, "the same silicon as %s", of);
        }
        break;
    default: {
        int32_t first = em__silicon_first(s, role->group, 0);
        if (facts->is_overruled) {
            em__copy(sentence, sizeof sentence, "counted since the option channels names it");
        } else if (facts->covers == EM__COVERS_DOMAIN) {
            em__copy(sentence, sizeof sentence, "counted as the option files says");
        } else if (facts->covers == EM__COVERS_ALL_CPUS) {
            em__copy(sentence, sizeof sentence, "estimated, since no CPU package can be read");
        } else if (facts->covers == EM__COVERS_ALL_MEMORY) {
            em__copy(sentence, sizeof sentence, "estimated, since no memory can be read");
        } else if (first != i) {
            em__print(sentence, sizeof sentence, "stands in for %s, which cannot be read", s->out[first].name);
        }
    }
    }
    say(role, sentence, facts->reason);
}
