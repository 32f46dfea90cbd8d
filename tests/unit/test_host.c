/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Directory roots, which nothing below them may escape, and how a root is chosen. */
#include "check.h"
#include "platform/host_system.h"
#include "tree.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/* The outside lies beside the root, in the same temporary directory. */
#define SECRET "this must never be read\n"

static em__host *open_root(int own_walk, int as_user)
{
    em__host *host = NULL;
    char root[PATH_MAX];
    snprintf(root, sizeof root, "%s", tree_path("/below"));
    CHECK_INT(em__system_open(root, 0, as_user, own_walk, NULL, &host), 0);
    return host;
}

static int text_of(em__host *host, const char *path, char *buffer, size_t size)
{
    buffer[0] = '\0';
    return em__host_text(host, path, buffer, size);
}

static void check_content(em__host *host, const char *path, const char *expected)
{
    char text[256];
    if (!CHECK_INT(text_of(host, path, text, sizeof text), strlen(expected)) || !CHECK_TEXT(text, expected)) {
        printf("# at %s\n", path);
    }
}

static void check_error(em__host *host, const char *path, int expected)
{
    char text[256];
    if (!CHECK_INT(text_of(host, path, text, sizeof text), expected)) {
        printf("# at %s\n", path);
    }
}

static void build_tree(void)
{
    tree_file("/secret", SECRET, 0644);
    tree_file("/outside/secret", SECRET, 0644);
    tree_file("/below/plain", "plain\n", 0644);
    tree_file("/below/secret", "inside\n", 0644);
    tree_file("/below/a/b/c/deep", "deep\n", 0644);
    tree_file("/below/owner", "owner\n", 0400);
    tree_file("/below/group", "group\n", 0440);
    tree_file("/below/others", "others\n", 0404);
    tree_link("/below/a/b/up", "../../plain");
    tree_link("/below/a/folder", "b/c");
    tree_link("/below/absolute", "/plain");
    tree_link("/below/hop", "a/folder/../up");
    tree_link("/below/top", "/");
    tree_link("/below/dangling", "nowhere/at/all");
    tree_link("/below/loop", "loop2");
    tree_link("/below/loop2", "/loop");
}

/* Each of these leads outside where links are followed as on the live system. */
static void links_never_lead_out(em__host *host)
{
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s/secret", tree_top);
    tree_link("/below/bad/whole", target);
    tree_link("/below/bad/up", "../../secret");
    tree_link("/below/bad/farther", "../../../../../../../../../../../../secret");
    tree_link("/below/bad/beside", "../../outside/secret");
    tree_link("/below/bad/folder", "../../outside");
    tree_link("/below/bad/via", "/top/../secret");
    tree_link("/below/bad/process", "/proc/self/root/etc/passwd");
    tree_link("/below/bad/chain", "/bad/chain2/../../secret");
    tree_link("/below/bad/chain2", "/top/a/..");
    check_error(host, "/bad/whole", -ENOENT);
    check_content(host, "/bad/up", "inside");
    check_content(host, "/bad/farther", "inside");
    check_error(host, "/bad/beside", -ENOENT);
    check_error(host, "/bad/folder/secret", -ENOENT);
    check_content(host, "/bad/via", "inside");
    check_error(host, "/bad/process", -ENOENT);
    check_content(host, "/bad/chain", "inside");
    check_content(host, "/../secret", "inside");
    check_content(host, "/../../../../../../secret", "inside");
    check_content(host, "/a/../../secret", "inside");
    check_content(host, "/a/b/../../../secret", "inside");
    check_error(host, "/../outside/secret", -ENOENT);
    CHECK_INT(em__host_exists(host, "/../outside"), -ENOENT);
    CHECK_INT(em__host_exists(host, "/bad/folder"), -ENOENT);
    CHECK_INT(em__host_exists(host, "/bad/beside"), -ENOENT);
    CHECK_INT(host->ops->link(host, "/bad/folder/x", target, sizeof target), -ENOENT);
}

static void paths_are_followed(em__host *host)
{
    char target[64];
    check_content(host, "/plain", "plain");
    check_content(host, "//plain", "plain");
    check_content(host, "/./a/.././plain", "plain");
    check_content(host, "/a/b/c/deep", "deep");
    check_content(host, "/a/b/up", "plain");
    check_content(host, "/a/folder/deep", "deep");
    check_content(host, "/absolute", "plain");
    check_content(host, "/hop", "plain");
    check_content(host, "/top/top/top/plain", "plain");
    check_error(host, "/dangling", -ENOENT);
    check_error(host, "/loop", -ELOOP);
    check_error(host, "/nowhere", -ENOENT);
    check_error(host, "/plain/x", -ENOTDIR);
    check_error(host, "/plain/", -ENOTDIR);
    check_error(host, "/plain/..", -ENOTDIR);
    check_error(host, "/a", -EISDIR);
    check_error(host, "/", -EISDIR);
    check_error(host, "plain", -EINVAL);
    check_error(host, "", -EINVAL);
    CHECK_INT(em__host_exists(host, "/"), 0);
    CHECK_INT(em__host_exists(host, "/a/folder/"), 0);
    CHECK_INT(em__host_exists(host, "/owner"), 0);
    CHECK_INT(em__host_exists(host, "/dangling"), -ENOENT);
    CHECK_INT(em__host_exists(host, "/loop"), -ELOOP);
    CHECK_INT(host->ops->link(host, "/a/folder", target, sizeof target), 3);
    CHECK_TEXT(target, "b/c");
    CHECK_INT(host->ops->link(host, "/dangling", target, sizeof target), 14);
    CHECK_INT(host->ops->link(host, "/dangling", target, 15), 14);
    CHECK_INT(host->ops->link(host, "/dangling", target, 14), -ENAMETOOLONG);
    CHECK_INT(host->ops->link(host, "/dangling", target, 0), -ENAMETOOLONG);
    CHECK_INT(host->ops->link(host, "/top/a/b/up", target, sizeof target), 11);
    CHECK_INT(host->ops->link(host, "/plain", target, sizeof target), -EINVAL);
    CHECK_INT(host->ops->link(host, "/a", target, sizeof target), -EINVAL);
    CHECK_INT(host->ops->link(host, "/nowhere", target, sizeof target), -ENOENT);
}

static void at_most_forty_links(em__host *host)
{
    for (int i = 0; i < 41; i++) {
        char path[64], target[64];
        snprintf(path, sizeof path, "/below/links/%d", i);
        snprintf(target, sizeof target, i ? "%d" : "../plain", i - 1);
        tree_link(path, target);
    }
    check_content(host, "/links/39", "plain");
    check_error(host, "/links/40", -ELOOP);
}

static void long_names(em__host *host)
{
    char path[PATH_MAX + 8] = "/";
    memset(path + 1, 'x', 256);
    check_error(host, path, -ENAMETOOLONG);
    path[256] = '\0';
    check_error(host, path, -ENOENT);
    for (size_t i = 0; i < PATH_MAX; i += 2) {
        memcpy(path + i, "/.", 3);
    }
    check_error(host, path, -ENAMETOOLONG);
    path[PATH_MAX - 2] = '\0';
    check_error(host, path, -EISDIR);
}

static void what_is_no_file_is_not_read(em__host *host)
{
    CHECK_INT(mkfifo(tree_path("/below/pipe"), 0644), 0);
    CHECK_INT(mknod(tree_path("/below/socket"), S_IFSOCK | 0644, 0), 0);
    alarm(20); /* ends the test if opening the pipe waits for a writer */
    check_error(host, "/pipe", -EINVAL);
    alarm(0);
    check_error(host, "/socket", -EINVAL);
    CHECK_INT(em__host_exists(host, "/pipe"), 0);
    CHECK_INT(em__host_exists(host, "/socket"), 0);
    unlink(tree_path("/below/pipe"));
    unlink(tree_path("/below/socket"));
}

static int collect(void *context, const char *name)
{
    char *all = context;
    size_t length = strlen(all);
    snprintf(all + length, 512 - length, "%s ", name);
    return strcmp(name, "stop") == 0 ? 42 : 0;
}

static void lists_are_sorted(em__host *host)
{
    char names[512] = "";
    tree_file("/below/list/b", "", 0644);
    tree_file("/below/list/a", "", 0644);
    tree_file("/below/list/\xC3\xA4", "", 0644);
    tree_file("/below/list/a:10", "", 0644);
    tree_file("/below/list/a:9", "", 0644);
    tree_file("/below/list/.hidden", "", 0644);
    tree_link("/below/to-list", "/list");
    CHECK_INT(host->ops->list(host, "/list", collect, names), 0);
    CHECK_TEXT(names, ".hidden a a:10 a:9 b \xC3\xA4 ");
    tree_file("/below/list/stop", "", 0644);
    names[0] = '\0';
    CHECK_INT(host->ops->list(host, "/to-list/", collect, names), 42);
    CHECK_TEXT(names, ".hidden a a:10 a:9 b stop ");
    names[0] = '\0';
    CHECK_INT(host->ops->list(host, "/plain", collect, names), -ENOTDIR);
    CHECK_INT(host->ops->list(host, "/nowhere", collect, names), -ENOENT);
    CHECK_INT(host->ops->list(host, "/dangling", collect, names), -ENOENT);
    CHECK_TEXT(names, "");
    tree_remove(AT_FDCWD, tree_path("/below/list"));
    unlink(tree_path("/below/to-list"));
}

static void both_walks(void (*test)(em__host *host))
{
    for (int own_walk = 0; own_walk <= 1; own_walk++) {
        if (!CHECK_INT(tree_begin(), 0)) {
            return;
        }
        build_tree();
        em__host *host = open_root(own_walk, 0);
        if (host) {
            test(host);
        }
        em__host_unref(host);
        tree_end();
    }
}

static void test_links_never_lead_out(void)
{
    both_walks(links_never_lead_out);
}
static void test_paths_are_followed(void)
{
    both_walks(paths_are_followed);
}
static void test_at_most_forty_links(void)
{
    both_walks(at_most_forty_links);
}
static void test_long_names(void)
{
    both_walks(long_names);
}
static void test_what_is_no_file_is_not_read(void)
{
    both_walks(what_is_no_file_is_not_read);
}
static void test_lists_are_sorted(void)
{
    both_walks(lists_are_sorted);
}

struct swap {
    atomic_int stop;
    char folder[PATH_MAX], folder_link[PATH_MAX], file[PATH_MAX], file_link[PATH_MAX], aside[PATH_MAX];
};

static void exchange(const char *one, const char *other, const char *aside)
{
    if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0) {
        rename(one, aside); /* a file system that cannot exchange two names */
        rename(other, one);
        rename(aside, other);
    }
}

static void *keep_swapping(void *context)
{
    struct swap *swap = context;
    while (!atomic_load(&swap->stop)) {
        exchange(swap->folder, swap->folder_link, swap->aside);
        exchange(swap->file, swap->file_link, swap->aside);
        rename(swap->folder, swap->aside);
        rename(swap->aside, swap->folder);
    }
    return NULL;
}

/* While files, folders and links to the outside change places, and a folder moves about, nobody gets out. */
static void races_do_not_lead_out(em__host *host)
{
    struct swap swap = {.stop = 0};
    char text[256], outside[PATH_MAX];
    snprintf(swap.folder, sizeof swap.folder, "%s", tree_path("/below/race/x"));
    snprintf(swap.folder_link, sizeof swap.folder_link, "%s", tree_path("/below/race/y"));
    snprintf(swap.file, sizeof swap.file, "%s", tree_path("/below/race/f"));
    snprintf(swap.file_link, sizeof swap.file_link, "%s", tree_path("/below/race/g"));
    snprintf(swap.aside, sizeof swap.aside, "%s", tree_path("/z"));
    snprintf(outside, sizeof outside, "%s", tree_path("/secret"));
    tree_file("/below/race/x/deep/secret", "inside\n", 0644);
    tree_file("/below/race/f", "inside\n", 0644);
    tree_file("/deep/secret", SECRET, 0644);
    tree_link("/below/race/y", "../..");
    tree_link("/below/race/g", outside);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, keep_swapping, &swap), 0);
    static const char *const paths[] = {"/race/f", "/race/x/deep/secret",  "/race/x/deep/../../../../secret",
                                        "/race/g", "/race/x/../../secret", "/race/x/deep/../../../deep/secret"};
    for (int i = 0; i < 60000; i++) {
        if (text_of(host, paths[i % 6], text, sizeof text) >= 0 && !CHECK_TEXT(text, "inside")) {
            break;
        }
    }
    atomic_store(&swap.stop, 1);
    pthread_join(thread, NULL);
}

static void test_races_do_not_lead_out(void)
{
    both_walks(races_do_not_lead_out);
}

static void permissions_are_of_others(void)
{
    CHECK_INT(tree_begin(), 0);
    build_tree();
    em__host *host = open_root(0, 1);
    check_error(host, "/owner", -EACCES);
    check_error(host, "/group", -EACCES);
    check_content(host, "/others", "others");
    check_content(host, "/plain", "plain");
    CHECK_INT(em__host_exists(host, "/owner"), 0);
    em__host_unref(host);
    if (geteuid() != 0) {
        chmod(tree_path("/below/others"), 0);
        host = open_root(1, 0);
        check_error(host, "/others", -EACCES);
        em__host_unref(host);
    }
    tree_end();
}

static void open_files_are_read_anew(void)
{
    char buffer[16];
    em__file *file;
    CHECK_INT(tree_begin(), 0);
    build_tree();
    em__host *host = open_root(0, 0);
    CHECK_INT(host->ops->open(host, "/plain", &file), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(host->ops->read(file, buffer, sizeof buffer), 6);
        CHECK(memcmp(buffer, "plain\n", 6) == 0);
    }
    CHECK_INT(host->ops->read(file, buffer, 2), 2);
    CHECK_INT(host->ops->read(file, buffer, 0), 0);
    tree_file("/below/plain", "changed\n", 0644);
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), 8);
    host->ops->close(file);
    em__host_unref(host);
    tree_end();
}

static void texts_and_numbers(void)
{
    char text[8];
    uint64_t value = 7;
    CHECK_INT(tree_begin(), 0);
    tree_file("/below/seven", "1234567", 0644);
    tree_file("/below/eight", "123456\n\n", 0644);
    tree_file("/below/blank", " \n\t ", 0644);
    tree_file("/below/inner", " a b \n", 0644);
    tree_file("/below/energy", "262143328850\n", 0644);
    tree_file("/below/words", "<no data>\n", 0644);
    tree_file("/below/endless", "0000000000000000000000000000000000000000000000000000000000000000000000001\n", 0644);
    em__host *host = open_root(0, 0);
    CHECK_INT(em__host_text(host, "/seven", text, sizeof text), 7);
    CHECK_TEXT(text, "1234567");
    CHECK_INT(em__host_text(host, "/eight", text, sizeof text), -EFBIG);
    CHECK_INT(em__host_text(host, "/blank", text, sizeof text), 0);
    CHECK_TEXT(text, "");
    CHECK_INT(em__host_text(host, "/inner", text, sizeof text), 4);
    CHECK_TEXT(text, " a b");
    CHECK_INT(em__host_text(host, "/seven", text, 0), -EFBIG);
    CHECK_INT(em__host_u64(host, "/words", &value), -EINVAL);
    CHECK_INT(em__host_u64(host, "/blank", &value), -EINVAL);
    CHECK_INT(em__host_u64(host, "/endless", &value), -EINVAL);
    CHECK_INT(em__host_u64(host, "/nowhere", &value), -ENOENT);
    CHECK_INT(value, 7);
    CHECK_INT(em__host_u64(host, "/energy", &value), 0);
    CHECK_INT(value, 262143328850);
    em__host_unref(host);
    tree_end();
}

static int open_descriptors(int *ret_inherited)
{
    int count = 0;
    DIR *entries = opendir("/proc/self/fd");
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        int descriptor = atoi(entry->d_name);
        count += entry->d_name[0] != '.';
        *ret_inherited += descriptor > 2 && !(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
    }
    if (entries) {
        closedir(entries);
    }
    return count;
}

static void no_descriptor_is_lost_or_inherited(void)
{
    int inherited = 0;
    CHECK_INT(tree_begin(), 0);
    build_tree();
    int before_inherited = 0, before = open_descriptors(&before_inherited);
    for (int own_walk = 0; own_walk <= 1; own_walk++) {
        em__host *host = open_root(own_walk, 1);
        em__file *file;
        char names[512] = "";
        CHECK_INT(host->ops->open(host, "/hop", &file), 0);
        CHECK_INT(open_descriptors(&inherited), before + 2);
        paths_are_followed(host);
        check_error(host, "/owner", -EACCES);
        host->ops->list(host, "/a", collect, names);
        CHECK_INT(open_descriptors(&inherited), before + 2);
        host->ops->close(file);
        em__host_unref(host);
        CHECK_INT(open_descriptors(&inherited), before);
    }
    CHECK_INT(inherited, 6 * before_inherited);
    tree_end();
}

static void roots_are_chosen_by_what_they_are(void)
{
    em__host *host = NULL;
    char why[256] = "";
    CHECK_INT(tree_begin(), 0);
    build_tree();
    tree_file("/machine.json", "{\"files\":{\"/x\":{\"content\":\"1\\n\",\"mode\":\"0444\"}}}", 0644);
    tree_file("/garbage.json", "{", 0644);
    tree_file("/folder.json/inner", "folder\n", 0644);
    CHECK_INT(em__host_open(tree_path("/below"), 0, NULL, why, sizeof why, &host), 0);
    CHECK(!host->is_live && !host->ops->library_open);
    check_content(host, "/plain", "plain");
    em__host_unref(host);
    CHECK_INT(em__host_open(tree_path("/machine.json"), 0, NULL, NULL, 0, &host), 0);
    CHECK(!host->is_live && !host->ops->library_open);
    check_content(host, "/x", "1");
    check_error(host, "/plain", -ENOENT);
    em__host_unref(host);
    CHECK_INT(em__host_open(tree_path("/folder.json"), 0, NULL, NULL, 0, &host), 0);
    check_content(host, "/inner", "folder");
    em__host_unref(host);
    host = NULL;
    CHECK_INT(em__host_open(tree_path("/garbage.json"), 0, NULL, why, sizeof why, &host), -EINVAL);
    CHECK(strstr(why, "garbage.json") && strstr(why, "byte 1"));
    CHECK_INT(em__host_open(tree_path("/below/plain"), 0, NULL, why, sizeof why, &host), -ENOTDIR);
    CHECK(strstr(why, "/below/plain") && strstr(why, ".json"));
    CHECK_INT(em__host_open(tree_path("/nowhere"), 0, NULL, why, sizeof why, &host), -ENOENT);
    CHECK(strstr(why, "/nowhere") && strstr(why, "No such file"));
    CHECK_INT(em__host_open("", 0, NULL, why, sizeof why, &host), -ENOENT);
    mkfifo(tree_path("/pipe.json"), 0644);
    alarm(20);
    CHECK_INT(em__host_open(tree_path("/pipe.json"), 0, NULL, why, sizeof why, &host), -EINVAL);
    alarm(0);
    CHECK(host == NULL);
    tree_end();
}

int main(void)
{
    RUN(test_links_never_lead_out);
    RUN(test_paths_are_followed);
    RUN(test_at_most_forty_links);
    RUN(test_long_names);
    RUN(test_what_is_no_file_is_not_read);
    RUN(test_lists_are_sorted);
    RUN(test_races_do_not_lead_out);
    RUN(permissions_are_of_others);
    RUN(open_files_are_read_anew);
    RUN(texts_and_numbers);
    RUN(no_descriptor_is_lost_or_inherited);
    RUN(roots_are_chosen_by_what_they_are);
    return CHECK_DONE();
}
