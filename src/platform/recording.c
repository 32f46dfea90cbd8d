/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads the JSON document of a recorded machine into its tree. */
#include "core/json.h"
#include "core/text.h"
#include "platform/machine_tree.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct load {
    em__tree *tree;
    char *why;
    size_t why_size;
};

/* What the reading of a kernel's attribute or process file is known to give, and its kin. */
static const struct {
    const char *name;
    int error;
} error_names[] = {
    {"EPERM", EPERM},           {"ENOENT", ENOENT},
    {"EINTR", EINTR},           {"EIO", EIO},
    {"ENXIO", ENXIO},           {"EAGAIN", EAGAIN},
    {"ENOMEM", ENOMEM},         {"EACCES", EACCES},
    {"EFAULT", EFAULT},         {"EBUSY", EBUSY},
    {"ENODEV", ENODEV},         {"ENOTDIR", ENOTDIR},
    {"EISDIR", EISDIR},         {"EINVAL", EINVAL},
    {"ENOTTY", ENOTTY},         {"EFBIG", EFBIG},
    {"ENOSPC", ENOSPC},         {"ERANGE", ERANGE},
    {"ENOSYS", ENOSYS},         {"ENODATA", ENODATA},
    {"ETIME", ETIME},           {"EPROTO", EPROTO},
    {"EBADMSG", EBADMSG},       {"EOVERFLOW", EOVERFLOW},
    {"EOPNOTSUPP", EOPNOTSUPP}, {"ENOTSUP", EOPNOTSUPP},
    {"ECOMM", ECOMM},           {"EILSEQ", EILSEQ},
    {"ETIMEDOUT", ETIMEDOUT},   {"EREMOTEIO", EREMOTEIO},
    {"ESTALE", ESTALE},         {"ENOTCONN", ENOTCONN},
    {"EHOSTDOWN", EHOSTDOWN},   {"ECONNREFUSED", ECONNREFUSED},
    {"ESHUTDOWN", ESHUTDOWN},   {"ECANCELED", ECANCELED},
};

/* What a document says may end on a terminal. */
static void make_printable(char *text)
{
    for (size_t left = strlen(text), length; left > 0; text += length, left -= length) {
        size_t bad = 1;
        length = em__utf8_length(text, left, &bad);
        if (length == 0 || (unsigned char)*text < 0x20 || *text == 0x7F) {
            length = length > 0 ? length : bad;
            memset(text, '?', length);
        }
    }
}

static int refuse(const struct load *load, int error, const char *section, const char *path, const char *what,
                  const char *value)
{
    if (load->why && load->why_size > 0) {
        em__print(load->why, load->why_size, "%s%s%.200s%s%s%s%.60s%s", section, path ? " \"" : "", path ? path : "",
                  path ? "\"" : "", what[0] ? ": " : "", what, value ? value : "", value ? "\"" : "");
        make_printable(load->why);
    }
    return error;
}

/* The bytes that a text stands for: U+DC80 … U+DCFF are bytes that were no UTF-8 when they were recorded. -1: another
 * surrogate, which stands for nothing. out may be text. */
static ptrdiff_t to_bytes(const char *text, size_t length, char *out)
{
    char *begin = out;
    for (size_t i = 0; i < length; i++) {
        const unsigned char *at = (const unsigned char *)text + i;
        if (at[0] != 0xED || length - i < 3 || at[1] < 0xA0) {
            *out++ = (char)at[0];
            continue;
        }
        if (at[1] != 0xB2 && at[1] != 0xB3) {
            return -1;
        }
        *out++ = (char)(at[1] == 0xB2 ? at[2] : at[2] | 0x40);
        i += 2;
    }
    return out - begin;
}

static int parse_mode(const em__json_node *node, unsigned *ret_mode)
{
    unsigned mode = 0;
    if (!node || node->type != EM__JSON_STRING || node->length < 3 || node->length > 5) {
        return 0;
    }
    for (size_t i = 0; i < node->length; i++) {
        if (node->text[i] < '0' || node->text[i] > '7') {
            return 0;
        }
        mode = mode * 8 + (unsigned)(node->text[i] - '0');
    }
    *ret_mode = mode;
    return mode <= 07777;
}

static int parse_error(const em__json_node *node, int *ret_error)
{
    for (size_t i = 0; i < sizeof error_names / sizeof error_names[0]; i++) {
        if (node->type == EM__JSON_STRING && node->length == strlen(error_names[i].name) &&
            memcmp(node->text, error_names[i].name, node->length) == 0) {
            *ret_error = error_names[i].error;
            return 1;
        }
    }
    return 0;
}

const char *em__recording_error(int error)
{
    for (size_t i = 0; i < sizeof error_names / sizeof error_names[0]; i++) {
        if (error_names[i].error == error) {
            return error_names[i].name;
        }
    }
    return "EIO";
}

static int refuse_path(const struct load *load, int error, const char *section, const char *path)
{
    switch (error) {
    case -ENOTDIR:
        return refuse(load, -EINVAL, section, path, "lies below something that is listed as file or link", 0);
    case -EEXIST:
        return refuse(load, -EINVAL, section, path, "is listed as something else too, or has entries below", 0);
    case -EINVAL:
        return refuse(load, -EINVAL, section, path, "is no absolute path without . and ..", 0);
    case -ENOSPC:
        return refuse(load, -E2BIG, section, path, "is one more than a recorded machine may have", 0);
    default:
        return refuse(load, error, section, path, "does not fit into memory", 0);
    }
}

/* Copies path and content as bytes into one block, and adds them to the tree. */
static int add(const struct load *load, const char *section, const em__json_node *entry, em__node_type type,
               const char *content, size_t length, unsigned mode, int error)
{
    char *path = malloc(entry->key_length + length + 2);
    if (!path) {
        return refuse_path(load, -ENOMEM, section, entry->key);
    }
    char *bytes = path + entry->key_length + 1;
    ptrdiff_t path_length = to_bytes(entry->key, entry->key_length, path);
    ptrdiff_t bytes_length = to_bytes(content, length, bytes);
    int result;
    if (path_length < 0 || memchr(path, '\0', (size_t)path_length) || path_length >= EM__TREE_PATH) {
        result = refuse_path(load, -EINVAL, section, entry->key);
    } else if (bytes_length < 0) {
        result = refuse(load, -EINVAL, section, entry->key, "holds a surrogate that stands for no byte", NULL);
    } else if (type == EM__NODE_LINK &&
               (bytes_length == 0 || bytes_length >= EM__TREE_PATH || memchr(bytes, '\0', (size_t)bytes_length))) {
        result = refuse(load, -EINVAL, section, entry->key, "its target is no path", NULL);
    } else {
        path[path_length] = '\0';
        result = em__tree_add(load->tree, path, type, bytes, (size_t)bytes_length, mode, error);
        result = result < 0 ? refuse_path(load, result, section, entry->key) : 0;
    }
    free(path);
    return result;
}

static int load_file(const struct load *load, const em__json_node *entry)
{
    const em__json_node *content = em__json_member(entry, "content");
    const em__json_node *mode_node = em__json_member(entry, "mode");
    const em__json_node *error_node = em__json_member(entry, "errno");
    int has_error = error_node && error_node->type != EM__JSON_NULL;
    unsigned mode;
    int error = 0;
    if (entry->type != EM__JSON_OBJECT) {
        return refuse(load, -EINVAL, "files", entry->key, "is no object with content and mode", NULL);
    }
    if (!parse_mode(mode_node, &mode)) {
        return refuse(load, -EINVAL, "files", entry->key, "mode is no octal text such as \"0444\": \"",
                      mode_node && mode_node->text ? mode_node->text : "");
    }
    if (has_error && !parse_error(error_node, &error)) {
        return refuse(load, -EINVAL, "files", entry->key, "errno is no known name such as \"EIO\" or \"ENODATA\": \"",
                      error_node->text ? error_node->text : "");
    }
    if (!content || (content->type != EM__JSON_STRING && content->type != EM__JSON_NULL)) {
        return refuse(load, -EINVAL, "files", entry->key, "content is neither text nor null", NULL);
    }
    if (content->type == EM__JSON_NULL && !has_error) {
        return refuse(load, -EINVAL, "files", entry->key, "content is null, but no errno says why", NULL);
    }
    return add(load, "files", entry, EM__NODE_FILE, content->text ? content->text : "", content->length, mode, error);
}

static int load_link(const struct load *load, const em__json_node *entry)
{
    if (entry->type != EM__JSON_STRING) {
        return refuse(load, -EINVAL, "links", entry->key, "its target is no text", NULL);
    }
    return add(load, "links", entry, EM__NODE_LINK, entry->text, entry->length, 0777, 0);
}

/* Folders that are there and hold nothing, which no path of a file tells. */
static int load_directory(const struct load *load, const em__json_node *entry)
{
    if (entry->type != EM__JSON_STRING) {
        return refuse(load, -EINVAL, "directories", NULL, ": an entry is no text", NULL);
    }
    em__json_node named = {.key = entry->text, .key_length = entry->length};
    return add(load, "directories", &named, EM__NODE_DIRECTORY, "", 0, 0755, 0);
}

static int load_root(const struct load *load, const em__json_node *root)
{
    const em__json_node *files = em__json_member(root, "files"), *links = em__json_member(root, "links");
    const em__json_node *directories = em__json_member(root, "directories");
    int error = 0;
    if (!files || files->type != EM__JSON_OBJECT) {
        return refuse(load, -EINVAL, "not a recorded machine: it has no object \"files\"", NULL, "", NULL);
    }
    if (links && links->type != EM__JSON_OBJECT) {
        return refuse(load, -EINVAL, "not a recorded machine: \"links\" is no object", NULL, "", NULL);
    }
    if (directories && directories->type != EM__JSON_ARRAY) {
        return refuse(load, -EINVAL, "not a recorded machine: \"directories\" is no array", NULL, "", NULL);
    }
    for (const em__json_node *file = files->first; file && error == 0; file = file->next) {
        error = load_file(load, file);
    }
    for (const em__json_node *link = links ? links->first : NULL; link && error == 0; link = link->next) {
        error = load_link(load, link);
    }
    for (const em__json_node *entry = directories ? directories->first : NULL; entry && error == 0;
         entry = entry->next) {
        error = load_directory(load, entry);
    }
    return error;
}

int em__recording_load(em__tree *tree, const char *text, size_t length, char *ret_text, size_t text_size)
{
    struct load load = {tree, ret_text, text_size};
    em__json *json;
    size_t offset = 0;
    int error = em__json_parse(text, length, &json, &offset);
    if (error < 0) {
        char what[128];
        em__print(what, sizeof what, "%s at byte %zu",
                  error == -E2BIG    ? "too large or too deep a JSON document"
                  : error == -ENOMEM ? "out of memory"
                                     : "not a JSON document: unexpected text",
                  offset);
        return refuse(&load, error, what, NULL, "", NULL);
    }
    error = load_root(&load, em__json_root(json));
    em__json_destroy(json);
    return error;
}
