/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* ROCm's rules: it numbers GPUs as the kernel's KFD lists them, ROCR_VISIBLE_DEVICES leaves some of those,
 * HIP_VISIBLE_DEVICES some of what is left. */
#include "sensors/gpu_view.h"

#include "core/text.h"
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 20 /* "GPU-" and 16 digits */, PROPERTIES_BYTES = 4096, MOST_NODES = 4096 };

static const char nodes_folder[] = "/sys/devices/virtual/kfd/kfd/topology/nodes";

/* ---------------------------------------------------------------------------------------------------- what KFD lists */

typedef struct {
    em__host *host;
    em__gpu_view *view;
    uint32_t nodes[EM__VIEW_SPARE];
    size_t count;
    int is_denied; /* a control group keeps this process from some GPUs */
} listing;

static int note_node(void *context, const char *name)
{
    listing *all = context;
    uint64_t number;
    if (em__parse_u64(name, strlen(name), &number) == 0 && number < MOST_NODES && all->count < EM__VIEW_SPARE) {
        size_t at = all->count++;
        for (; at > 0 && all->nodes[at - 1] > number; at--) {
            all->nodes[at] = all->nodes[at - 1];
        }
        all->nodes[at] = (uint32_t)number;
    }
    return 0;
}

/* A board that is cut into partitions is several nodes, which differ where its function is. */
static int is_node_of(const em__board *board, const em__kfd_node *node, int whole)
{
    char pci[EM__PCI_SIZE];
    em__print(pci, sizeof pci, "%04x:%02x:%02x.%x", node->domain, node->location >> 8 & 0xFF, node->location >> 3 & 31,
              node->location & 7);
    size_t length = strlen(pci);
    return whole ? strcmp(board->pci, pci) == 0
                 : strlen(board->pci) == length && strncmp(board->pci, pci, length - 1) == 0;
}

static void add_node(listing *all, const em__kfd_node *node)
{
    em__gpu_view *view = all->view;
    for (int whole = 1; whole >= 0; whole--) {
        for (size_t i = 0; i < view->count; i++) {
            if (is_node_of(&view->boards[i], node, whole) && view->shown < view->count + EM__VIEW_SPARE) {
                view->order[view->shown++] = i;
                return;
            }
        }
    }
}

/* 1: KFD tells which GPUs there are. */
static int list_nodes(listing *all)
{
    char path[EM__SOURCE_SIZE], text[PROPERTIES_BYTES];
    if (all->host->ops->list(all->host, nodes_folder, note_node, all) < 0) {
        return 0;
    }
    for (size_t i = 0; i < all->count; i++) {
        em__kfd_node node;
        em__print(path, sizeof path, "%s/%u/properties", nodes_folder, all->nodes[i]);
        int length = em__host_text(all->host, path, text, sizeof text);
        all->is_denied |= length == -EPERM || length == -EACCES;
        if (length >= 0 && em__parse_kfd_node(text, (size_t)length, &node) == 0 && node.simds > 0) {
            add_node(all, &node);
        }
    }
    return all->view->shown > 0 || all->is_denied;
}

/* ------------------------------------------------------------------------------------------------------- the variables */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int begins_alike(const char *whole, em__item prefix)
{
    size_t i = 0;
    while (i < prefix.length && whole[i] && lower(whole[i]) == lower(prefix.text[i])) {
        i++;
    }
    return i == prefix.length;
}

/* Which of what is shown so far has the name; -1: none or several. */
static int64_t find_named(const em__gpu_view *view, em__item name)
{
    int64_t found = -1;
    if (name.length < 5 || name.length > LONGEST_NAME) {
        return -1;
    }
    for (size_t i = 0; i < view->shown; i++) {
        if (begins_alike(view->boards[view->order[i]].uuid, name)) {
            if (found >= 0) {
                return -1;
            }
            found = (int64_t)i;
        }
    }
    return found;
}

/* The runtime reads numbers as strtol does with base 0, to their end. */
static int64_t rocr_number(em__item text)
{
    char digits[24], *end;
    if (text.length == 0 || text.length >= sizeof digits) {
        return -1;
    }
    em__print(digits, sizeof digits, "%.*s", (int)text.length, text.text);
    long value = strtol(digits, &end, 0);
    return *end || value < 0 || value > INT32_MAX ? -1 : value;
}

/* HIP takes a number as it would print it: no space, no zero in front. */
static int64_t hip_number(em__item text)
{
    return text.length > 1 && text.text[0] == '0' ? -1 : em__item_number(text);
}

static em__item hip_next(const char **at)
{
    const char *begin = *at;
    em__item item = {begin, strcspn(begin, ",")};
    *at = begin[item.length] ? begin + item.length + 1 : NULL;
    return item;
}

/* Leaves what the list names, in its order. What names nothing ends it (both); what repeats ends it for ROCr, and is passed
 * over by HIP. */
static void filter(em__gpu_view *view, const char *list, int is_rocr)
{
    size_t *kept = calloc(view->shown + 1, sizeof *kept), count = 0;
    unsigned char *taken = calloc(view->shown + 1, 1);
    while (kept && taken && list && count < view->shown) {
        em__item item = is_rocr ? em__item_next(&list) : hip_next(&list);
        int is_name = is_rocr ? item.length > 0 && lower(item.text[0]) == 'g' : em__item_begins(item, "GPU-");
        int64_t at = is_name ? find_named(view, item) : is_rocr ? rocr_number(item) : hip_number(item);
        if (at < 0 || (uint64_t)at >= view->shown || (is_rocr && taken[at])) {
            break;
        }
        if (!taken[at]) {
            kept[count++] = view->order[at];
        }
        taken[at] = 1;
    }
    for (size_t i = 0; i < count; i++) {
        view->order[i] = kept[i];
    }
    view->shown = count;
    free(kept);
    free(taken);
}

/* HIP heeds CUDA's variable where its own says nothing. CUDA's may also name boards of NVIDIA's, and then is not meant. */
static const char *hip_list(em__host *host, const char **ret_variable)
{
    const char *list = em__host_variable(host, "HIP_VISIBLE_DEVICES");
    *ret_variable = "HIP_VISIBLE_DEVICES";
    if (!list || !list[0]) {
        list = em__host_variable(host, "CUDA_VISIBLE_DEVICES");
        *ret_variable = "CUDA_VISIBLE_DEVICES";
    }
    const char *at = list;
    em__item first = list ? em__item_next(&at) : (em__item){"", 0};
    int is_foreign = em__item_begins(first, "GPU-") ? first.length > LONGEST_NAME : em__item_begins(first, "MIG-");
    return !list || !list[0] || (is_foreign && strcmp(*ret_variable, "CUDA_VISIBLE_DEVICES") == 0) ? NULL : list;
}

static size_t numbers_of(const em__gpu_view *view, size_t board)
{
    size_t found = 0;
    for (size_t i = 0; i < view->shown; i++) {
        found += view->order[i] == board;
    }
    return found;
}

void em__rocm_look(em__host *host, em__gpu_view *view)
{
    listing all = {.host = host, .view = view};
    const char *variable, *rocr = em__host_variable(host, "ROCR_VISIBLE_DEVICES"), *hip = hip_list(host, &variable);
    int is_listed = list_nodes(&all);
    if (!is_listed) {
        em__view_show_all(view);
    }
    view->is_order_known = 1;
    size_t before = view->shown, partitions = 0;
    for (size_t i = 0; i < view->count; i++) {
        size_t numbers = is_listed ? numbers_of(view, i) : 1;
        partitions += numbers > 1;
        if (numbers == 0 && !all.is_denied && !rocr && !hip) {
            view->order[view->shown++] = i; /* ROCm cannot use it, and yet it is there. */
        }
    }
    if (rocr) {
        filter(view, rocr, 1);
        view->variable = "ROCR_VISIBLE_DEVICES";
    }
    if (hip) {
        filter(view, hip, 0);
        view->variable = rocr ? view->variable : variable;
    }
    if (partitions > 0 && view->shown < before) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MIG);
    }
}
