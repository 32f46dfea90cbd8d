/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Recorded machines: the recordings themselves, and random trees that must answer as the file system does. */
#include "check.h"
#include "platform/host_system.h"
#include "platform/machine.h"
#include "tree.h"

#include <errno.h>
#include <pthread.h>

static em__host *open_recording(const char *name, int as_user)
{
    char path[512], why[256] = "";
    em__host *host = NULL;
    snprintf(path, sizeof path, "%s/%s.json", EM_TEST_MACHINES, name);
    if (!CHECK_INT(em__host_open(path, as_user, NULL, why, sizeof why, &host), 0)) {
        printf("# %s\n", why);
    }
    return host;
}

static int text_of(em__host *host, const char *path, char *buffer, size_t size)
{
    buffer[0] = '\0';
    return em__host_text(host, path, buffer, size);
}

static void check_content(em__host *host, const char *path, const char *expected)
{
    char text[512];
    if (!CHECK_INT(text_of(host, path, text, sizeof text), strlen(expected)) || !CHECK_TEXT(text, expected)) {
        printf("# at %s\n", path);
    }
}

static void check_error(em__host *host, const char *path, int expected)
{
    char text[512];
    if (!CHECK_INT(text_of(host, path, text, sizeof text), expected)) {
        printf("# at %s\n", path);
    }
}

static int collect(void *context, const char *name)
{
    char *all = context;
    size_t length = strlen(all);
    snprintf(all + length, 4096 - length, "%s ", name);
    return 0;
}

static void check_list(em__host *host, const char *path, const char *expected)
{
    char names[4096] = "";
    CHECK_INT(host->ops->list(host, path, collect, names), 0);
    CHECK_TEXT(names, expected);
}

static void a_recording_is_followed_like_sysfs(void)
{
    char target[128];
    em__host *host = open_recording("intel-xeon-2s-gold-5118", 0);
    if (!host) {
        return;
    }
    CHECK(!host->is_live && !host->ops->library_open);
    CHECK_INT(host->ops->link(host, "/sys/class/powercap/intel-rapl:0:0", target, sizeof target), 69);
    CHECK_TEXT(target, "../../devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:0");
    check_content(host, "/sys/class/powercap/intel-rapl:0/name", "package-0");
    check_content(host, "/sys/class/powercap/intel-rapl:1/../intel-rapl:0/intel-rapl:0:0/name", "dram");
    check_error(host, "/sys/class/powercap/intel-rapl:0/nothing", -ENOENT);
    check_error(host, "/sys/class/powercap/intel-rapl:0", -EISDIR);
    check_error(host, "/proc/stat", -ENOENT);
    em__host_unref(host);
}

static void modes_hide_from_a_user(void)
{
    const char *energy = "/sys/class/powercap/intel-rapl:0/energy_uj";
    for (int as_user = 0; as_user <= 1; as_user++) {
        uint64_t value = 7;
        em__host *host = open_recording("intel-laptop-psys-energy-0400-ls-lr", as_user);
        if (!host) {
            return;
        }
        CHECK_INT(em__host_u64(host, energy, &value), as_user ? -EACCES : 0);
        CHECK_INT(em__host_exists(host, energy), 0);
        check_content(host, "/sys/class/powercap/intel-rapl:0/name", "package-0");
        em__host_unref(host);
    }
}

static void errors_are_played(void)
{
    em__host *host = open_recording("rapl-energy-read-eio-and-enodata", 0);
    em__file *file;
    char buffer[8];
    if (!host) {
        return;
    }
    CHECK_INT(host->ops->open(host, "/sys/class/powercap/intel-rapl:0/energy_uj", &file), 0);
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), -EIO);
    host->ops->close(file);
    check_error(host, "/sys/class/powercap/intel-rapl:1/energy_uj", -ENODATA);
    check_content(host, "/sys/class/powercap/intel-rapl:2/energy_uj", "1234567");
    em__host_unref(host);
    host = open_recording("rapl-energy-read-eio-and-enodata", 1);
    check_error(host, "/sys/class/powercap/intel-rapl:0/energy_uj", -EACCES);
    em__host_unref(host);
}

static void dangling_links_are_seen_but_lead_nowhere(void)
{
    em__host *host = open_recording("container-dangling-powercap-symlinks", 0);
    char target[128];
    if (!host) {
        return;
    }
    check_list(host, "/sys/class/powercap", "intel-rapl intel-rapl:0 intel-rapl:0:0 intel-rapl:1 ");
    CHECK(host->ops->link(host, "/sys/class/powercap/intel-rapl:0", target, sizeof target) > 0);
    CHECK_INT(em__host_exists(host, "/sys/class/powercap/intel-rapl:0"), -ENOENT);
    check_error(host, "/sys/class/powercap/intel-rapl:0/name", -ENOENT);
    CHECK_INT(em__host_exists(host, "/sys/devices"), -ENOENT);
    check_list(host, "/", ".dockerenv sys ");
    check_content(host, "/.dockerenv", "");
    em__host_unref(host);
}

static em__host *parse(const char *document, int as_user)
{
    em__host *host = NULL;
    char why[256] = "";
    if (!CHECK_INT(em__machine_parse(document, strlen(document), as_user, NULL, why, sizeof why, &host), 0)) {
        printf("# %s\n", why);
    }
    return host;
}

static void links_of_every_kind(void)
{
    em__host *host = parse("{\"files\":{\"/a/b/file\":{\"content\":\"x\",\"mode\":\"0444\"}},"
                           "\"links\":{\"/abs\":\"/a/b\",\"/rel\":\"a/b/\",\"/up\":\"../../a\",\"/self\":\"self\","
                           "\"/one\":\"two\",\"/two\":\"/one\",\"/file\":\"abs/file\",\"/top\":\"/\"}}",
                           0);
    if (!host) {
        return;
    }
    check_content(host, "/abs/file", "x");
    check_content(host, "/rel/file", "x");
    check_content(host, "/up/b/file", "x");
    check_content(host, "/file", "x");
    check_content(host, "/top/top/file", "x");
    check_content(host, "/../a/./b//file", "x");
    check_error(host, "/self", -ELOOP);
    check_error(host, "/one/x", -ELOOP);
    check_error(host, "/file/", -ENOTDIR);
    check_error(host, "/file/..", -ENOTDIR);
    check_error(host, "a/b/file", -EINVAL);
    check_list(host, "/abs/..", "b ");
    CHECK_INT(host->ops->list(host, "/file", collect, NULL), -ENOTDIR);
    CHECK_INT(host->ops->link(host, "/a", NULL, 0), -EINVAL);
    em__host_unref(host);
}

static void at_most_forty_links(void)
{
    em__host *host;
    CHECK_INT(em__machine_create(0, NULL, &host), 0);
    CHECK_INT(em__machine_set_file(host, "/file", "x", 1, 0444, 0), 0);
    for (int i = 0; i < 41; i++) {
        char path[32], target[32];
        snprintf(path, sizeof path, "/%d", i);
        snprintf(target, sizeof target, i ? "%d" : "file", i - 1);
        CHECK_INT(em__machine_set_link(host, path, target), 0);
    }
    check_content(host, "/39", "x"); /* as the kernel's MAXSYMLINKS */
    check_error(host, "/40", -ELOOP);
    em__host_unref(host);
}

static void recorded_bytes_come_back(void)
{
    char buffer[16];
    em__file *file;
    em__host *host = parse("{\"files\":{\"/\\udcff\\u00b5\":{\"content\":\"\\u0000\\udc80\\udcbf\\u20ac\\n\","
                           "\"mode\":\"444\",\"errno\":null}}}",
                           0);
    if (host && CHECK_INT(host->ops->open(host, "/\xFF\xC2\xB5", &file), 0)) {
        CHECK_INT(host->ops->read(file, buffer, sizeof buffer), 7);
        CHECK(memcmp(buffer, "\0\x80\xBF\xE2\x82\xAC\n", 7) == 0);
        CHECK_INT(host->ops->read(file, buffer, 2), 2);
        host->ops->close(file);
    }
    em__host_unref(host);
}

static void later_entries_of_one_name_win(void)
{
    em__host *host = parse("{\"files\":{},\"files\":{\"/x\":{\"content\":\"1\",\"mode\":\"0444\"},"
                           "\"/x\":{\"content\":\"0\",\"content\":\"2\",\"mode\":\"0400\",\"mode\":\"0444\"}},"
                           "\"links\":{\"/l\":\"nowhere\",\"/l\":\"x\"}}",
                           1);
    if (host) {
        check_content(host, "/l", "2");
    }
    em__host_unref(host);
}

static void check_refused(const char *document, int error, const char *says)
{
    char why[256] = "";
    em__host *host = (em__host *)1;
    int result = em__machine_parse(document, strlen(document), 0, NULL, why, sizeof why, &host);
    if (!CHECK_INT(result, error) || !CHECK(strstr(why, says) != NULL)) {
        printf("# in: %s\n# said: %s\n", document, why);
    }
    CHECK(host == (em__host *)1);
    CHECK_INT(em__machine_parse(document, strlen(document), 0, NULL, NULL, 0, &host), error);
}

static void malformed_recordings_are_refused_by_name(void)
{
    static const struct {
        const char *entry, *says;
    } wrong[] = {
        {"\"/s/x\":1", "/s/x"},
        {"\"/s/x\":{\"mode\":\"0444\"}", "/s/x"},
        {"\"/s/x\":{\"content\":1,\"mode\":\"0444\"}", "/s/x"},
        {"\"/s/x\":{\"content\":null,\"mode\":\"0444\"}", "/s/x"},
        {"\"/s/x\":{\"content\":\"\"}", "/s/x"},
        {"\"/s/x\":{\"content\":\"\",\"mode\":444}", "/s/x"},
        {"\"/s/x\":{\"content\":\"\",\"mode\":\"0999\"}", "0999"},
        {"\"/s/x\":{\"content\":\"\",\"mode\":\"77777\"}", "77777"},
        {"\"/s/x\":{\"content\":\"\",\"mode\":\"\"}", "/s/x"},
        {"\"/s/x\":{\"content\":null,\"mode\":\"0444\",\"errno\":\"EFOO\"}", "EFOO"},
        {"\"/s/x\":{\"content\":null,\"mode\":\"0444\",\"errno\":5}", "/s/x"},
        {"\"/s/x\":{\"content\":null,\"mode\":\"0444\",\"errno\":\"EIO\\u0000\"}", "/s/x"},
        {"\"/s/x\":{\"content\":\"\\ud800\",\"mode\":\"0444\"}", "/s/x"},
        {"\"/s/\\ud800\":{\"content\":\"\",\"mode\":\"0444\"}", "/s/???"},
        {"\"/s/x\\u0000\":{\"content\":\"\",\"mode\":\"0444\"}", "/s/x"},
        {"\"/s/\\u001b[2J\":{\"content\":\"\",\"mode\":\"\"}", "/s/?[2J"},
        {"\"s/x\":{\"content\":\"\",\"mode\":\"0444\"}", "s/x"},
        {"\"\":{\"content\":\"\",\"mode\":\"0444\"}", "files"},
        {"\"/\":{\"content\":\"\",\"mode\":\"0444\"}", "files"},
        {"\"/s/../x\":{\"content\":\"\",\"mode\":\"0444\"}", "/s/../x"},
        {"\"/s/./x\":{\"content\":\"\",\"mode\":\"0444\"}", "/s/./x"},
        {"\"/s//x\":{\"content\":\"\",\"mode\":\"0444\"}", "/s//x"},
        {"\"/s/x/\":{\"content\":\"\",\"mode\":\"0444\"}", "/s/x/"},
        {"\"/s/x\":{\"content\":\"\",\"mode\":\"0444\"},\"/s\":{\"content\":\"\",\"mode\":\"0444\"}", "\"/s\""},
        {"\"/s\":{\"content\":\"\",\"mode\":\"0444\"},\"/s/x\":{\"content\":\"\",\"mode\":\"0444\"}", "/s/x"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char document[512];
        snprintf(document, sizeof document, "{\"files\":{%s}}", wrong[i].entry);
        check_refused(document, -EINVAL, wrong[i].says);
    }
    check_refused("{\"files\":{\"/x\":{\"content\":\"\",\"mode\":\"0444\"}},\"links\":{\"/x\":\"y\"}}", -EINVAL, "/x");
    check_refused("{\"files\":{},\"links\":{\"/x\":\"y\",\"/x/z\":\"y\"}}", -EINVAL, "/x/z");
    check_refused("{\"files\":{},\"links\":{\"/x\":\"\"}}", -EINVAL, "/x");
    check_refused("{\"files\":{},\"links\":{\"/x\":null}}", -EINVAL, "/x");
    check_refused("{\"files\":{},\"links\":{\"/x\":\"a\\u0000b\"}}", -EINVAL, "/x");
    check_refused("{\"files\":{},\"links\":[]}", -EINVAL, "links");
    check_refused("{\"files\":[]}", -EINVAL, "files");
    check_refused("{}", -EINVAL, "files");
    check_refused("[]", -EINVAL, "files");
    check_refused("", -EINVAL, "byte 0");
    check_refused("{\"files\":{}", -EINVAL, "byte 11");
}

static void tests_change_it_while_it_plays(void)
{
    em__host *host;
    em__file *file;
    char buffer[16];
    CHECK_INT(em__machine_create(1, NULL, &host), 0);
    check_list(host, "/", "");
    CHECK_INT(em__machine_set_file(host, "/sys/a/energy", "1\n", 2, 0444, 0), 0);
    CHECK_INT(em__machine_set_link(host, "/class/a", "../sys/a"), 0);
    CHECK_INT(host->ops->open(host, "/class/a/energy", &file), 0);
    CHECK_INT(em__machine_set_file(host, "/class/a/energy", "22\n", 3, 0444, 0), 0);
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), 3);
    CHECK_INT(em__machine_set_file(host, "/sys/a/energy", "", 0, 0444, EIO), 0);
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), -EIO);
    CHECK_INT(em__machine_set_file(host, "/sys/a/energy", "4", 1, 0400, 0), 0);
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), 1); /* opened while it was allowed */
    check_error(host, "/sys/a/energy", -EACCES);
    CHECK_INT(em__machine_set_link(host, "/shortcut", "/class/a/energy"), 0);
    CHECK_INT(em__machine_set_file(host, "/shortcut", "5", 1, 0444, 0), 0);
    check_content(host, "/sys/a/energy", "5");
    CHECK_INT(em__machine_remove(host, "/class/a"), 0);
    check_error(host, "/shortcut", -ENOENT);
    CHECK_INT(em__machine_set_file(host, "/shortcut", "6", 1, 0444, 0), 0);
    check_content(host, "/shortcut", "6");
    CHECK_INT(em__machine_set_file(host, "/sys", "x", 1, 0444, 0), -EISDIR);
    CHECK_INT(em__machine_set_file(host, "/shortcut/x", "x", 1, 0444, 0), -ENOTDIR);
    CHECK_INT(em__machine_set_file(host, "relative", "x", 1, 0444, 0), -EINVAL);
    CHECK_INT(em__machine_set_file(host, "/", "x", 1, 0444, 0), -EINVAL);
    CHECK_INT(em__machine_set_file(host, "/x/..", "x", 1, 0444, 0), -EINVAL);
    CHECK_INT(em__machine_set_link(host, "/x", ""), -EINVAL);
    CHECK_INT(em__machine_remove(host, "/nowhere"), -ENOENT);
    CHECK_INT(em__machine_remove(host, "/"), -EBUSY);
    CHECK_INT(em__machine_remove(host, "/sys"), 0);
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), -ENODEV);
    check_list(host, "/", "class shortcut ");
    CHECK_INT(em__machine_set_file(host, "/sys/a/energy", "7", 1, 0444, 0), 0);
    check_content(host, "/sys/a/energy", "7");
    CHECK_INT(host->ops->read(file, buffer, sizeof buffer), -ENODEV);
    host->ops->close(file);
    em__host_unref(host);
}

static void the_clock_stands_once_it_was_set(void)
{
    em__host *host;
    CHECK_INT(em__machine_create(0, NULL, &host), 0);
    uint64_t before_ns = em__system_monotonic_ns(NULL), now_ns = host->ops->monotonic_ns(host);
    CHECK(now_ns >= before_ns && now_ns <= em__system_monotonic_ns(NULL));
    em__machine_set_clock(host, 5, 6, 7);
    CHECK_INT(host->ops->monotonic_ns(host), 5);
    CHECK_INT(host->ops->boottime_ns(host), 6);
    CHECK_INT(host->ops->wall_ns(host), 7);
    em__machine_set_clock(host, 0, UINT64_MAX, 8);
    CHECK_INT(host->ops->monotonic_ns(host), 0);
    CHECK(host->ops->boottime_ns(host) == UINT64_MAX);
    em__host_unref(host);
}

static void deep_and_many(void)
{
    em__host *host;
    char path[4096] = "", text[32];
    int error = 0;
    CHECK_INT(em__machine_create(0, NULL, &host), 0);
    for (int i = 0; i < 2040; i++) {
        memcpy(path + 2 * i, "/d", 3);
    }
    CHECK_INT(em__machine_set_file(host, path, "deep", 4, 0444, 0), 0);
    check_content(host, path, "deep");
    for (int i = 0; i < 200000 && error == 0; i++) {
        snprintf(text, sizeof text, "/many/%06d", i);
        error = em__machine_set_file(host, text, "", 0, 0444, 0);
    }
    CHECK_INT(error, -ENOSPC);
    CHECK_INT(em__machine_remove(host, "/d"), 0);
    CHECK_INT(em__machine_set_file(host, "/again", "", 0, 0444, 0), 0);
    em__host_unref(host);
}

static uint64_t state = 88172645463325252u;

static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

/* Short names, so that most paths lead somewhere. */
static void random_path(char *path, size_t most)
{
    static const char *const parts[] = {"/a", "/b", "/c", "/a", "/b", "/..", "/.", "//b", "/d"};
    size_t count = 1 + below(most);
    path[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(path, parts[below(sizeof parts / sizeof parts[0])]);
    }
    if (below(8) == 0) {
        strcat(path, "/");
    }
}

static void random_place(char *path)
{
    static const char *const names[] = {"/a", "/b", "/c", "/d"};
    size_t count = 1 + below(3);
    path[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(path, names[below(4)]);
    }
}

/* A place is free if nothing is there and only folders lead to it, so that the building follows no link. */
static int is_free(const char *place)
{
    struct stat status;
    char full[128];
    for (size_t i = 1; i <= strlen(place); i++) {
        if (place[i] == '/' || place[i] == '\0') {
            snprintf(full, sizeof full, "/below%.*s", (int)i, place);
            if (lstat(tree_path(full), &status) != 0) {
                return 1;
            }
            if (!S_ISDIR(status.st_mode)) {
                return 0;
            }
        }
    }
    return 0;
}

static void random_tree(em__host *machine)
{
    char place[64], target[64], full[128];
    for (int i = 0; i < 12; i++) {
        random_place(place);
        snprintf(full, sizeof full, "/below%s", place);
        if (!is_free(place)) {
            continue;
        }
        if (below(2)) {
            CHECK_INT(tree_file(full, place, 0644), 0);
            CHECK_INT(em__machine_set_file(machine, place, place, strlen(place), 0644, 0), 0);
        } else {
            random_path(target, 4);
            char *begin = target + (target[1] != '/' && target[1] != '\0' && below(2));
            CHECK_INT(tree_link(full, begin), 0);
            CHECK_INT(em__machine_set_link(machine, place, begin), 0);
        }
    }
}

static void compare(em__host *one, em__host *other, const char *path)
{
    char left[4096] = "", right[4096] = "";
    int is_same = CHECK_INT(text_of(one, path, left, sizeof left), text_of(other, path, right, sizeof right)) &&
                  CHECK_TEXT(left, right);
    is_same &= CHECK_INT(em__host_exists(one, path), em__host_exists(other, path));
    left[0] = right[0] = '\0';
    is_same &=
        CHECK_INT(one->ops->link(one, path, left, sizeof left), other->ops->link(other, path, right, sizeof right));
    is_same &= CHECK_TEXT(left, right);
    left[0] = right[0] = '\0';
    is_same &= CHECK_INT(one->ops->list(one, path, collect, left), other->ops->list(other, path, collect, right));
    is_same &= CHECK_TEXT(left, right);
    if (!is_same) {
        printf("# at %s\n", path);
    }
}

/* The kernel's own following of paths is the truth for the walk without it and for machines in memory. */
static void random_trees_answer_as_the_kernel_does(void)
{
    CHECK_INT(tree_begin(), 0);
    for (int round = 0; round < 60; round++) {
        em__host *machine = NULL, *kernel = NULL, *walk = NULL;
        char root[PATH_MAX], path[64];
        tree_folders("/below/");
        snprintf(root, sizeof root, "%s", tree_path("/below"));
        CHECK_INT(em__machine_create(0, NULL, &machine), 0);
        CHECK_INT(em__system_open(root, 0, 0, 0, NULL, &kernel), 0);
        CHECK_INT(em__system_open(root, 0, 0, 1, NULL, &walk), 0);
        random_tree(machine);
        for (int i = 0; i < 150; i++) {
            random_path(path, 6);
            compare(walk, kernel, path);
            compare(machine, kernel, path);
        }
        em__host_unref(machine);
        em__host_unref(kernel);
        em__host_unref(walk);
        tree_remove(AT_FDCWD, root);
    }
    tree_end();
}

static void *change_and_read(void *context)
{
    em__host *host = context;
    char text[64];
    uint64_t value;
    for (int i = 0; i < 2000; i++) {
        int length = snprintf(text, sizeof text, "%d\n", i);
        em__machine_set_file(host, "/shared/value", text, (size_t)length, 0444, 0);
        em__host_u64(host, "/link", &value);
        host->ops->list(host, "/", collect, strcpy(text, ""));
        em__host *same = em__host_ref(host);
        if (i % 16 == 0) {
            em__machine_remove(host, "/shared");
        }
        em__machine_set_clock(host, (uint64_t)i, 0, 0);
        value = host->ops->monotonic_ns(host);
        em__host_unref(same);
    }
    return NULL;
}

static void any_thread_may_call(void)
{
    em__host *host;
    pthread_t threads[4];
    CHECK_INT(em__machine_create(0, NULL, &host), 0);
    CHECK_INT(em__machine_set_link(host, "/link", "shared/value"), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, change_and_read, host), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(host->references, 1);
    check_content(host, "/link", "1999");
    em__host_unref(host);
}

int main(void)
{
    RUN(a_recording_is_followed_like_sysfs);
    RUN(modes_hide_from_a_user);
    RUN(errors_are_played);
    RUN(dangling_links_are_seen_but_lead_nowhere);
    RUN(links_of_every_kind);
    RUN(at_most_forty_links);
    RUN(recorded_bytes_come_back);
    RUN(later_entries_of_one_name_win);
    RUN(malformed_recordings_are_refused_by_name);
    RUN(tests_change_it_while_it_plays);
    RUN(the_clock_stands_once_it_was_set);
    RUN(deep_and_many);
    RUN(random_trees_answer_as_the_kernel_does);
    RUN(any_thread_may_call);
    return CHECK_DONE();
}
