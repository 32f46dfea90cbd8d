/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The tree of a recorded machine: nodes, and paths through them. */
#include "platform/machine_tree.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int new_node(em__tree *tree, em__node_type type, const char *name, size_t length, em__node **ret_node)
{
    if (tree->nodes >= EM__TREE_NODES) {
        return -ENOSPC;
    }
    em__node *node = calloc(1, sizeof *node + length + 1);
    if (!node) {
        return -ENOMEM;
    }
    memcpy(node->name, name, length);
    node->tree = tree;
    node->type = type;
    node->references = 1;
    node->mode = type == EM__NODE_DIRECTORY ? 0755 : 0;
    tree->nodes++;
    *ret_node = node;
    return 0;
}

void em__node_ref(em__node *node)
{
    node->references++;
}

void em__node_unref(em__node *node)
{
    if (--node->references == 0) {
        node->tree->nodes--;
        free(node->children);
        free(node->content);
        free(node);
    }
}

/* Where a child of that name is, or would be put. */
static size_t position(const em__node *directory, const char *name, size_t length, int *ret_found)
{
    size_t low = 0, high = directory->count;
    *ret_found = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(directory->children[middle]->name, name, length);
        if (order == 0 && directory->children[middle]->name[length]) {
            order = 1;
        }
        if (order == 0) {
            *ret_found = 1;
            return middle;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static em__node *child_of(const em__node *directory, const char *name, size_t length)
{
    int found;
    size_t at = position(directory, name, length, &found);
    return found ? directory->children[at] : NULL;
}

static int add_child(em__node *directory, em__node_type type, const char *name, size_t length, em__node **ret_node)
{
    if (directory->count == directory->capacity) {
        size_t capacity = directory->capacity ? directory->capacity * 2 : 8;
        em__node **children = realloc(directory->children, capacity * sizeof *children);
        if (!children) {
            return -ENOMEM;
        }
        directory->children = children;
        directory->capacity = capacity;
    }
    em__node *node;
    int error = new_node(directory->tree, type, name, length, &node);
    if (error < 0) {
        return error;
    }
    int found;
    size_t at = position(directory, name, length, &found);
    memmove(directory->children + at + 1, directory->children + at, (directory->count - at) * sizeof node);
    directory->children[at] = node;
    directory->count++;
    node->parent = directory;
    *ret_node = node;
    return 0;
}

/* A recording may nest deeper than a stack: leaves go first, in a loop. */
static void drop_below(em__node *top)
{
    em__node *node = top;
    while (node != top || node->count > 0) {
        if (node->count > 0) {
            node = node->children[node->count - 1];
            continue;
        }
        em__node *parent = node->parent;
        parent->count--;
        node->parent = NULL;
        em__node_unref(node);
        node = parent;
    }
}

void em__node_detach(em__node *node)
{
    int found;
    em__node *parent = node->parent;
    size_t at = position(parent, node->name, strlen(node->name), &found);
    drop_below(node);
    parent->count--;
    memmove(parent->children + at, parent->children + at + 1, (parent->count - at) * sizeof node);
    node->parent = NULL;
    em__node_unref(node);
}

int em__tree_init(em__tree *tree)
{
    tree->nodes = 0;
    return new_node(tree, EM__NODE_DIRECTORY, "", 0, &tree->root);
}

void em__tree_free(em__tree *tree)
{
    drop_below(tree->root);
    em__node_unref(tree->root);
}

int em__node_names(const em__node *node, char ***ret_names, size_t *ret_count)
{
    size_t bytes = 0;
    if (node->type != EM__NODE_DIRECTORY) {
        return -ENOTDIR;
    }
    for (size_t i = 0; i < node->count; i++) {
        bytes += strlen(node->children[i]->name) + 1;
    }
    char **names = malloc(node->count * sizeof *names + bytes + 1);
    if (!names) {
        return -ENOMEM;
    }
    char *text = (char *)(names + node->count);
    for (size_t i = 0; i < node->count; i++) {
        size_t length = strlen(node->children[i]->name) + 1;
        names[i] = memcpy(text, node->children[i]->name, length);
        text += length;
    }
    *ret_names = names;
    *ret_count = node->count;
    return 0;
}

/* A path on its way through the tree. */
struct walk {
    em__node *here;
    int links;
    char rest[EM__TREE_PATH];
};

static int follow_link(struct walk *walk, const em__node *link, const char *rest)
{
    size_t left = strlen(rest);
    if (++walk->links > EM__TREE_LINKS) {
        return -ELOOP;
    }
    if (link->length + left >= sizeof walk->rest) {
        return -ENAMETOOLONG;
    }
    memmove(walk->rest + link->length, rest, left + 1);
    memcpy(walk->rest, link->content, link->length);
    if (link->content[0] == '/') {
        walk->here = link->tree->root;
    }
    return 0;
}

/* One component. 0: the walk is over. -EINPROGRESS: it goes on. -ENOENT leaves it before the missing component. */
static int step(struct walk *walk, int follow)
{
    const char *name = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(name, "/");
    const char *rest = name + length;
    int is_last = rest[strspn(rest, "/")] == '\0';
    if (walk->here->type != EM__NODE_DIRECTORY) {
        return walk->rest[0] == '\0' ? 0 : -ENOTDIR;
    }
    if (length == 0) {
        return 0;
    }
    if (length > EM__TREE_NAME) {
        return -ENAMETOOLONG;
    }
    if (length == 2 && memcmp(name, "..", 2) == 0) {
        walk->here = walk->here->parent ? walk->here->parent : walk->here;
    } else if (length > 1 || name[0] != '.') {
        em__node *child = child_of(walk->here, name, length);
        if (!child) {
            return -ENOENT;
        }
        if (child->type == EM__NODE_LINK && (!is_last || *rest == '/' || follow)) {
            int error = follow_link(walk, child, rest);
            return error < 0 ? error : -EINPROGRESS;
        }
        walk->here = child;
    }
    memmove(walk->rest, rest, strlen(rest) + 1);
    return -EINPROGRESS;
}

static int start(struct walk *walk, em__tree *tree, const char *path)
{
    size_t length = strnlen(path, sizeof walk->rest);
    if (path[0] != '/' || length == sizeof walk->rest) {
        return path[0] == '/' ? -ENAMETOOLONG : -EINVAL;
    }
    memcpy(walk->rest, path, length + 1);
    walk->here = tree->root;
    walk->links = 0;
    return 0;
}

int em__tree_find(em__tree *tree, const char *path, int follow, em__node **ret_node)
{
    struct walk walk;
    int error = start(&walk, tree, path);
    if (error < 0) {
        return error;
    }
    do {
        error = step(&walk, follow);
    } while (error == -EINPROGRESS);
    if (error == 0) {
        *ret_node = walk.here;
    }
    return error;
}

/* The folder that the path's last component lies in, made where it is missing. */
static int make_parents(em__tree *tree, const char *path, em__node **ret_parent, char *ret_name)
{
    struct walk walk;
    int error = start(&walk, tree, path);
    size_t length = error < 0 ? 0 : strlen(walk.rest);
    char *last = length > 0 ? strrchr(walk.rest, '/') + 1 : NULL;
    if (error < 0 || !*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        return error < 0 ? error : -EINVAL;
    }
    if (strlen(last) > EM__TREE_NAME) {
        return -ENAMETOOLONG;
    }
    memcpy(ret_name, last, strlen(last) + 1);
    *last = '\0';
    do {
        error = step(&walk, 1);
        if (error == -ENOENT) {
            const char *name = walk.rest + strspn(walk.rest, "/");
            em__node *made;
            error = add_child(walk.here, EM__NODE_DIRECTORY, name, strcspn(name, "/"), &made);
            error = error == 0 ? -EINPROGRESS : error;
        }
    } while (error == -EINPROGRESS);
    if (error == 0) {
        *ret_parent = walk.here;
    }
    return error;
}

static int fill(em__node *node, const char *content, size_t length, unsigned mode, int error)
{
    char *copy = malloc(length + 1);
    if (!copy) {
        return -ENOMEM;
    }
    if (length > 0) {
        memcpy(copy, content, length);
    }
    copy[length] = '\0';
    free(node->content);
    node->content = copy;
    node->length = length;
    node->mode = mode;
    node->error = error;
    return 0;
}

int em__tree_put(em__tree *tree, const char *path, em__node_type type, const char *content, size_t length,
                 unsigned mode, int error)
{
    char name[EM__TREE_NAME + 1];
    em__node *parent, *node, *target;
    if (error < 0 ||
        (type == EM__NODE_LINK && (length == 0 || length >= EM__TREE_PATH || memchr(content, 0, length)))) {
        return -EINVAL;
    }
    int result = make_parents(tree, path, &parent, name);
    if (result < 0) {
        return result;
    }
    node = child_of(parent, name, strlen(name));
    if (node && node->type == EM__NODE_LINK && type == EM__NODE_FILE && em__tree_find(tree, path, 1, &target) == 0) {
        node = target;
    }
    if (node && node->type == EM__NODE_DIRECTORY) {
        return -EISDIR;
    }
    if (node && node->type != type) {
        em__node_detach(node);
        node = NULL;
    }
    int is_new = !node;
    result = is_new ? add_child(parent, type, name, strlen(name), &node) : 0;
    if (result == 0) {
        result = fill(node, content, length, mode, error);
        if (result < 0 && is_new) {
            em__node_detach(node);
        }
    }
    return result;
}

int em__tree_add(em__tree *tree, const char *path, em__node_type type, const char *content, size_t length,
                 unsigned mode, int error)
{
    em__node *here = tree->root;
    if (path[0] != '/') {
        return -EINVAL;
    }
    for (const char *name = path + 1, *end;; name = end + 1) {
        size_t name_length = strcspn(name, "/");
        end = name + name_length;
        if (name_length == 0 || name_length > EM__TREE_NAME || (name[0] == '.' && name_length == 1) ||
            (name_length == 2 && memcmp(name, "..", 2) == 0)) {
            return -EINVAL;
        }
        em__node *child = child_of(here, name, name_length);
        em__node_type wanted = *end ? EM__NODE_DIRECTORY : type;
        int result = child ? 0 : add_child(here, wanted, name, name_length, &child);
        if (result < 0 || child->type != wanted) {
            return result < 0 ? result : *end ? -ENOTDIR : -EEXIST;
        }
        if (!*end && type == EM__NODE_DIRECTORY) {
            return 0;
        }
        if (!*end) {
            return fill(child, content, length, mode, error);
        }
        here = child;
    }
}
