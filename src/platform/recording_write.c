/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Writes a tree as the JSON document of a recorded machine. */
#include "core/text.h"
#include "platform/machine_tree.h"

#include <string.h>

/* Bytes that are no UTF-8 become U+DC80 … U+DCFF, which the reader turns back. */
static void add_bytes(em__text *json, const char *bytes, size_t length)
{
    em__text_add(json, "\"");
    for (size_t i = 0; i < length;) {
        unsigned char byte = (unsigned char)bytes[i];
        size_t good = em__utf8_length(bytes + i, length - i, NULL);
        if (good == 0) {
            em__text_format(json, "\\udc%02x", byte);
        } else if (byte < 0x20 || byte == 0x7F) {
            em__text_format(json, byte == '\n' ? "\\n" : "\\u%04x", byte);
        } else if (byte == '"' || byte == '\\') {
            em__text_format(json, "\\%c", byte);
        } else {
            em__text_bytes(json, bytes + i, good);
        }
        i += good > 0 ? good : 1;
    }
    em__text_add(json, "\"");
}

static void add_path(em__text *json, const em__node *node)
{
    char path[EM__TREE_PATH];
    size_t at = sizeof path;
    for (; node->parent; node = node->parent) {
        size_t length = strlen(node->name);
        if (length + 1 > at) {
            break;
        }
        at -= length;
        memcpy(path + at, node->name, length);
        path[--at] = '/';
    }
    add_bytes(json, path + at, sizeof path - at);
}

static void add_file(em__text *json, const em__node *node)
{
    em__text_format(json, ": {\"content\": ");
    if (node->error) {
        em__text_format(json, "null, \"mode\": \"%04o\", \"errno\": \"%s\"}", node->mode & 07777,
                        em__recording_error(node->error));
        return;
    }
    add_bytes(json, node->content ? node->content : "", node->length);
    em__text_format(json, ", \"mode\": \"%04o\"}", node->mode & 07777);
}

/* All nodes of one type in the order of the tree. Depth is bounded by the length of a recorded path. */
static void add_nodes(em__text *json, const em__node *node, em__node_type type, size_t *count)
{
    if (node->type == type && node->parent && node->count == 0) {
        em__text_add(json, (*count)++ > 0 ? ",\n  " : "\n  ");
        add_path(json, node);
        if (type == EM__NODE_FILE) {
            add_file(json, node);
        } else if (type == EM__NODE_LINK) {
            em__text_add(json, ": ");
            add_bytes(json, node->content, node->length);
        }
    }
    for (size_t i = 0; i < node->count; i++) {
        add_nodes(json, node->children[i], type, count);
    }
}

char *em__recording_write(const em__tree *tree, const char *notes, size_t *ret_length)
{
    static const struct {
        const char *head, *tail;
        em__node_type type;
    } sections[] = {{" \"files\": {", "\n },\n", EM__NODE_FILE},
                    {" \"links\": {", "\n },\n", EM__NODE_LINK},
                    {" \"directories\": [", "\n ]\n}\n", EM__NODE_DIRECTORY}};
    em__text json = {0};
    em__text_add(&json, "{\n \"name\": \"recorded\", \"fidelity\": \"verbatim\",\n \"notes\": ");
    em__text_json(&json, notes);
    em__text_add(&json, ",\n");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        size_t count = 0;
        em__text_add(&json, sections[i].head);
        add_nodes(&json, tree->root, sections[i].type, &count);
        em__text_add(&json, sections[i].tail);
    }
    return em__text_finish(&json, ret_length);
}
