/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Files, folders and links in a temporary directory of the running system, for tests. */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree_top[PATH_MAX / 4];

static inline const char *tree_path(const char *path)
{
    static char full[PATH_MAX];
    snprintf(full, sizeof full, "%s%s", tree_top, path);
    return full;
}

static inline int tree_begin(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(tree_top, sizeof tree_top, "%s/energy-meter-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    return mkdtemp(tree_top) ? 0 : -1;
}

static inline void tree_remove(int parent, const char *name)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder >= 0 ? fdopendir(folder) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            tree_remove(folder, entry->d_name);
        }
    }
    if (entries) {
        closedir(entries);
    }
    unlinkat(parent, name, entries ? AT_REMOVEDIR : 0);
}

static inline void tree_end(void)
{
    tree_remove(AT_FDCWD, tree_top);
}

/* Missing folders on the way are made. */
static inline void tree_folders(const char *path)
{
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s", tree_path(path));
    for (char *slash = full + strlen(tree_top); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
}

static inline int tree_file(const char *path, const char *content, mode_t mode)
{
    tree_folders(path);
    int file = open(tree_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t length = strlen(content);
    int is_good = file >= 0 && write(file, content, length) == (ssize_t)length && fchmod(file, mode) == 0;
    if (file >= 0) {
        close(file);
    }
    return is_good ? 0 : -1;
}

static inline int tree_link(const char *path, const char *target)
{
    tree_folders(path);
    return symlink(target, tree_path(path));
}

#endif
