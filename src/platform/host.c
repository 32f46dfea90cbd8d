/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What all kinds of host share: references, the environment, conveniences, and the choice of kind by root. */
#include "platform/host.h"

#include "core/json.h"
#include "core/text.h"
#include "platform/host_system.h"
#include "platform/machine.h"
#include "platform/parse.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_SIZE = 512 };

static int copy_environment(const char *const *environment, char ***ret_copy)
{
    size_t count = 0, bytes = 0;
    for (; environment && environment[count]; count++) {
        bytes += strlen(environment[count]) + 1;
    }
    if (!environment) {
        *ret_copy = NULL;
        return 0;
    }
    char **copy = malloc((count + 1) * sizeof *copy + bytes);
    if (!copy) {
        return -ENOMEM;
    }
    char *text = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(environment[i]) + 1;
        memcpy(text, environment[i], length);
        copy[i] = text;
        text += length;
    }
    copy[count] = NULL;
    *ret_copy = copy;
    return 0;
}

int em__host_init(em__host *host, const em__host_ops *ops, const char *const *environment)
{
    char **copy;
    int error = copy_environment(environment, &copy);
    if (error < 0) {
        return error;
    }
    *host = (em__host){.ops = ops, .references = 1, .environment = copy};
    return 0;
}

void em__host_free_environment(em__host *host)
{
    free(host->environment);
    host->environment = NULL;
}

em__host *em__host_ref(em__host *host)
{
    __atomic_add_fetch(&host->references, 1, __ATOMIC_RELAXED);
    return host;
}

void em__host_unref(em__host *host)
{
    if (host && __atomic_sub_fetch(&host->references, 1, __ATOMIC_ACQ_REL) == 0) {
        host->ops->destroy(host);
    }
}

int em__host_answer(em__host *host, int error)
{
    if (error == -ENOMEM || error == -EMFILE || error == -ENFILE) {
        __atomic_store_n(&host->shortage, error, __ATOMIC_RELAXED);
    }
    return error;
}

static void say_error(char *why, size_t size, const char *path, const char *what, int error)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    em__print(why, size, "%.256s: %s: %s", path, what, plain ? strerror_l(-error, plain) : "out of memory");
    if (plain) {
        freelocale(plain);
    }
}

static int open_recording(const char *path, int as_user, const char *const *environment, char *why, size_t why_size,
                          em__host **ret_host)
{
    char *text;
    size_t length;
    int error = em__system_load(path, EM__JSON_SIZE, &text, &length);
    if (error == -EFBIG) {
        em__print(why, why_size, "%.256s: larger than %d MiB, the most that a recorded machine may have", path,
                  EM__JSON_SIZE >> 20);
    } else if (error < 0) {
        say_error(why, why_size, path, "cannot be read as a recorded machine", error);
    } else {
        char inner[WHY_SIZE] = "";
        error = em__machine_parse(text, length, as_user, environment, inner, sizeof inner, ret_host);
        if (error < 0) {
            em__print(why, why_size, "%.128s: %s", path, inner);
        }
        free(text);
    }
    return error;
}

int em__host_open(const char *root, int as_user, const char *const *environment, char *ret_text, size_t text_size,
                  em__host **ret_host)
{
    char why[WHY_SIZE] = "";
    root = root ? root : "/";
    size_t length = strlen(root);
    int is_live = length > 0 && strspn(root, "/") == length;
    em__host *host = NULL;
    int error = em__system_open(root, is_live, as_user, 0, environment, &host);
    if (error == -ENOTDIR && length > 5 && strcmp(root + length - 5, ".json") == 0) {
        error = open_recording(root, as_user, environment, why, sizeof why, &host);
    } else if (error == -ENOTDIR) {
        em__print(why, sizeof why, "%.256s: neither a directory nor a recorded machine (a file that ends in .json)",
                  root);
    } else if (error < 0) {
        say_error(why, sizeof why, root, "cannot be opened as root", error);
    }
    if (error < 0) {
        if (ret_text) {
            em__copy(ret_text, text_size, why);
        }
        return error;
    }
    *ret_host = host;
    return 0;
}

static int is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

int em__host_text(em__host *host, const char *path, char *buffer, size_t capacity)
{
    em__file *file;
    int result = host->ops->open(host, path, &file);
    if (result < 0) {
        return result;
    }
    result = host->ops->read(file, buffer, capacity);
    host->ops->close(file);
    if (result < 0) {
        return result;
    }
    if ((size_t)result >= capacity) {
        return -EFBIG;
    }
    while (result > 0 && is_space(buffer[result - 1])) {
        result--;
    }
    buffer[result] = '\0';
    return result;
}

int em__host_u64(em__host *host, const char *path, uint64_t *ret_value)
{
    char text[64];
    int length = em__host_text(host, path, text, sizeof text);
    if (length < 0) {
        return length == -EFBIG ? -EINVAL : length;
    }
    return em__parse_u64(text, (size_t)length, ret_value);
}

static int stop_at_first(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 1;
}

int em__host_exists(em__host *host, const char *path)
{
    if (host->ops->exists) {
        return host->ops->exists(host, path);
    }
    em__file *file;
    int error = host->ops->open(host, path, &file);
    if (error == 0) {
        host->ops->close(file);
        return 0;
    }
    return host->ops->list(host, path, stop_at_first, NULL) >= 0 ? 0 : error;
}

const char *em__host_variable(const em__host *host, const char *name)
{
    size_t length = strlen(name);
    for (char **variable = host->environment; variable && *variable; variable++) {
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=') {
            return *variable + length + 1;
        }
    }
    return NULL;
}
