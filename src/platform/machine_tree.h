/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The tree of a recorded machine, and its reader. No locks: the machine holds its own around every call. */
#ifndef EM_PLATFORM_MACHINE_TREE_H
#define EM_PLATFORM_MACHINE_TREE_H

#include <stddef.h>

typedef enum { EM__NODE_DIRECTORY, EM__NODE_FILE, EM__NODE_LINK } em__node_type;

typedef struct em__node {
    struct em__node *parent; /* NULL: the root, or removed */
    struct em__tree *tree;
    em__node_type type;
    int references; /* the tree's and open files' */
    unsigned mode;
    int error;     /* what reading the file gives; 0: its content */
    char *content; /* of a file, or target of a link; ended by NUL */
    size_t length;
    struct em__node **children; /* of a directory, sorted by name */
    size_t count, capacity;
    char name[];
} em__node;

typedef struct em__tree {
    em__node *root;
    size_t nodes;
} em__tree;

enum { EM__TREE_NODES = 1 << 16, EM__TREE_LINKS = 40, EM__TREE_PATH = 4096, EM__TREE_NAME = 255 };

int em__tree_init(em__tree *tree);
void em__tree_free(em__tree *tree);

/* As the kernel resolves it, and with its errors; follow: a link at the end too. */
int em__tree_find(em__tree *tree, const char *path, int follow, em__node **ret_node);

/* Sets or replaces a file or link; missing folders are made. A link on the way is followed, and one at the end that
 * leads to a file when a file is put. -EISDIR: a folder is there. -EINVAL: the path or the target cannot be. */
int em__tree_put(em__tree *tree, const char *path, em__node_type type, const char *content, size_t length,
                 unsigned mode, int error);

/* The same for a recording, which lists real paths: -EINVAL: not a plain absolute path. -ENOTDIR: a file or link is on
 * the way. -EEXIST: something of another type is there. */
int em__tree_add(em__tree *tree, const char *path, em__node_type type, const char *content, size_t length,
                 unsigned mode, int error);

void em__node_ref(em__node *node);
void em__node_unref(em__node *node);
/* Takes it and all below it out of the tree. */
void em__node_detach(em__node *node);
/* One block, freed by the caller, of a directory's names. -ENOTDIR. */
int em__node_names(const em__node *node, char ***ret_names, size_t *ret_count);

/* Fills an empty tree from the JSON document. -EINVAL, -E2BIG, -ENOMEM with a sentence in ret_text (may be NULL). */
int em__recording_load(em__tree *tree, const char *text, size_t length, char *ret_text, size_t text_size);

/* The document that em__recording_load makes the same tree of; the caller's (free), NULL: no memory. */
char *em__recording_write(const em__tree *tree, const char *notes, size_t *ret_length);

/* The name of an errno as recordings have it; "EIO" for one that they lack. */
const char *em__recording_error(int error);

#endif
