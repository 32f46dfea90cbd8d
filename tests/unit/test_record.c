/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Recordings of machines: what is in them, what is not, and that playing one shows what was recorded. */
#include "check.h"
#include "core/digest.h"
#include "platform/machine.h"
#include "platform/recorder.h"
#include "tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GPU "/sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0"
#define CHIP GPU "/hwmon/hwmon2"

static void digest_is(const char *text, size_t times, const char *expected)
{
    em__digest digest;
    unsigned char bytes[EM__DIGEST_BYTES];
    char hex[2 * EM__DIGEST_BYTES + 1];
    em__digest_begin(&digest);
    for (size_t i = 0; i < times; i++) {
        em__digest_add(&digest, text, strlen(text));
    }
    em__digest_end(&digest, bytes);
    for (size_t i = 0; i < EM__DIGEST_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
    CHECK_TEXT(hex, expected);
}

/* FIPS 180-4, appendix B, and the examples that NIST publishes beside it. */
static void digests_are_those_of_the_standard(void)
{
    digest_is("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_is("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_is("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static em__host *empty(void)
{
    em__host *host = NULL;
    CHECK_INT(em__machine_create(0, NULL, &host), 0);
    return host;
}

static void put(em__host *host, const char *path, const char *content, unsigned mode, int error)
{
    CHECK_INT(em__machine_set_file(host, path, content, strlen(content), mode, error), 0);
}

/* What a recording of the host plays. */
static em__host *recorded(em__host *host, int as_user, char **ret_text)
{
    char *text = NULL, why[512] = "";
    size_t length = 0;
    em__host *copy = NULL;
    CHECK_INT(em__machine_record(host, &text, &length), 0);
    CHECK_INT(text ? (long long)strlen(text) : -1, (long long)length);
    CHECK_INT(em__machine_parse(text, length, as_user, NULL, why, sizeof why, &copy), 0);
    CHECK_TEXT(why, "");
    *ret_text = text;
    return copy;
}

static void same(em__host *host, em__host *copy, const char *path)
{
    char left[256] = "", right[256] = "";
    int expected = em__host_text(host, path, left, sizeof left);
    if (!CHECK_INT(em__host_text(copy, path, right, sizeof right), expected)) {
        printf("# %s\n", path);
    }
    CHECK_TEXT(right, left);
}

static void put_gpu(em__host *host, const char *status)
{
    put(host, GPU "/class", "0x030000\n", 0444, 0);
    put(host, GPU "/vendor", "0x1002\n", 0444, 0);
    put(host, GPU "/power/runtime_status", status, 0444, 0);
    put(host, GPU "/uevent", "DRIVER=amdgpu\nPCI_ID=1002:73BF\nHID_UNIQ=4711\n", 0444, 0);
    put(host, GPU "/unique_id", "0123456789abcdef\n", 0444, 0);
    put(host, CHIP "/name", "amdgpu\n", 0444, 0);
    put(host, CHIP "/power1_label", "PPT\n", 0444, 0);
    put(host, CHIP "/power1_average", "35000000\n", 0444, 0);
    CHECK_INT(em__machine_set_link(host, CHIP "/device", "../.."), 0);
    CHECK_INT(em__machine_set_link(host, GPU "/driver", "../../../../bus/pci/drivers/amdgpu"), 0);
    CHECK_INT(em__machine_set_link(host, "/sys/class/hwmon/hwmon2",
                                   "../../devices/pci0000:00/0000:00:01.0/0000:03:00.0/"
                                   "hwmon/hwmon2"),
              0);
}

static void values_modes_links_and_errors_come_back(void)
{
    em__host *host = empty();
    char *text;
    put_gpu(host, "active\n");
    const char *zone = "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj";
    put(host, zone, "123456\n", 0400, 0);
    put(host, "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/name", "package-0\n", 0444, 0);
    put(host, "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:1/energy_uj", "", 0444, ENODATA);
    CHECK_INT(em__machine_set_link(host, "/sys/class/powercap/intel-rapl:0",
                                   "../../devices/virtual/powercap/intel-rapl/intel-rapl:0"),
              0);
    CHECK_INT(em__machine_set_link(host, "/sys/class/powercap/intel-rapl:7", "../../devices/virtual/powercap/gone"), 0);
    put(host, CHIP "/in0_label", "a\xff\"\\\n\x01z\n", 0444, 0);
    em__host *copy = recorded(host, 0, &text), *users = NULL;
    same(host, copy, zone);
    same(host, copy, "/sys/class/powercap/intel-rapl:0/name");
    same(host, copy, "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:1/energy_uj");
    same(host, copy, "/sys/class/powercap/intel-rapl:7/name");
    same(host, copy, "/sys/class/hwmon/hwmon2/power1_average");
    same(host, copy, "/sys/class/hwmon/hwmon2/in0_label");
    same(host, copy, "/sys/class/hwmon/hwmon2/device/vendor");
    char target[128] = "", value[64];
    CHECK_INT(copy->ops->link(copy, GPU "/driver", target, sizeof target), 34);
    CHECK_TEXT(target, "../../../../bus/pci/drivers/amdgpu");
    CHECK_INT(copy->ops->link(copy, "/sys/class/powercap/intel-rapl:7", target, sizeof target), 35);
    free(text);
    users = recorded(host, 1, &text);
    CHECK_INT(em__host_text(users, zone, value, sizeof value), -EACCES);
    free(text);
    em__host_unref(users);
    em__host_unref(copy);
    em__host_unref(host);
}

/* A file of a sleeping GPU that was read would come back as 35 W. */
static void a_sleeping_gpu_is_left_alone(void)
{
    char *text, value[64];
    em__host *host = empty();
    put_gpu(host, "suspended\n");
    em__host *copy = recorded(host, 0, &text);
    CHECK_INT(em__host_text(copy, CHIP "/power1_average", value, sizeof value), -EAGAIN);
    CHECK(!strstr(text, "35000000"));
    same(host, copy, GPU "/power/runtime_status");
    same(host, copy, GPU "/class");
    CHECK(strstr(text, "DRIVER=amdgpu\\nPCI_ID=1002:73BF\\nHID_UNIQ=") && !strstr(text, "4711"));
    same(host, copy, CHIP "/name");
    same(host, copy, CHIP "/power1_label");
    free(text);
    em__host_unref(copy);
    em__host_unref(host);
}

static void what_names_a_machine_is_hashed(void)
{
    const char *supply = "/sys/class/power_supply/BAT0/serial_number",
               *twin = "/sys/class/power_supply/BAT1/serial_number";
    char *text, value[512], other[64];
    em__host *host = empty();
    put_gpu(host, "active\n");
    put(host, supply, " 4711-AB\n", 0444, 0);
    put(host, twin, " 4711-AB\n", 0444, 0);
    put(host, "/sys/class/power_supply/BAT0/uevent", "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_SERIAL_NUMBER=4711-AB\n",
        0444, 0);
    put(host, "/sys/class/power_supply/mouse/scope", "Device\n", 0444, 0);
    put(host, "/sys/class/power_supply/mouse/model_name", "Secret Mouse\n", 0444, 0);
    put(host, "/proc/cpuinfo", "flags\t: serialize sse\nSerial\t\t: 10000000deadbeef\nModel\t: Raspberry Pi 5\n", 0444,
        0);
    put(host, "/sys/devices/hid-a0:b1:c2:d3:e4:f5/hwmon/hwmon9/name", "hid_a0:b1:c2:d3:e4:f5\n", 0444, 0);
    CHECK_INT(em__machine_set_link(host, "/sys/class/hwmon/hwmon9", "../../devices/hid-a0:b1:c2:d3:e4:f5/hwmon/hwmon9"),
              0);
    put(host, "/etc/machine-id", "feedfacefeedfacefeedfacefeedface\n", 0444, 0);
    put(host, "/proc/sys/kernel/random/boot_id", "11112222-3333-4444-5555-666677778888\n", 0444, 0);
    put(host, "/proc/self/cgroup", "0::/user.slice/secret.service\n", 0444, 0);
    put(host, "/sys/fs/cgroup/user.slice/secret.service/cpu.max", "200000 100000\n", 0644, 0);
    em__host *copy = recorded(host, 0, &text);
    static const char *const secrets[] = {"4711",     "0123456789abcdef", "deadbeef", "a0:b1",
                                          "feedface", "66667777",         "secret",   "Secret"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        if (!CHECK(!strstr(text, secrets[i]))) {
            printf("# %s\n", secrets[i]);
        }
    }
    CHECK(strstr(text, "serialize sse") && strstr(text, "Raspberry Pi 5"));
    CHECK_INT(em__host_text(copy, supply, value, sizeof value), 8);
    CHECK_INT(em__host_text(copy, twin, other, sizeof other), 8);
    CHECK_TEXT(value, other); /* Still the same battery. */
    CHECK(value[0] == ' ' && value[5] == '-');
    CHECK_INT(em__host_text(copy, "/sys/class/hwmon/hwmon9/name", value, sizeof value), 21);
    CHECK_INT(em__host_text(copy, "/proc/self/cgroup", value, sizeof value), 29);
    char path[600];
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", value + 3);
    CHECK_INT(em__host_text(copy, path, other, sizeof other), 13);
    CHECK_TEXT(other, "200000 100000");
    free(text);
    em__host_unref(copy);

    /* Another machine's key gives other digits. */
    char *again;
    put(host, "/etc/machine-id", "00000000000000000000000000000000\n", 0444, 0);
    CHECK_INT(em__host_text(host, "/etc/machine-id", value, sizeof value), 32);
    copy = recorded(host, 0, &again);
    CHECK_INT(em__host_text(copy, twin, value, sizeof value), 8);
    CHECK(strcmp(value, " 4711-AB") != 0);
    free(again);
    em__host_unref(copy);
    em__host_unref(host);
}

static void folders_that_hold_nothing_are_there(void)
{
    char *text;
    static const char empty_class[] = "{\"files\": {}, \"directories\": [\"/sys/class/powercap\"]}";
    em__host *host = NULL, *copy;
    CHECK_INT(em__machine_parse(empty_class, strlen(empty_class), 0, NULL, NULL, 0, &host), 0);
    CHECK_INT(em__host_exists(host, "/sys/class/powercap"), 0);
    copy = recorded(host, 0, &text);
    CHECK_INT(em__host_exists(copy, "/sys/class/powercap"), 0);
    CHECK_INT(em__host_exists(copy, "/sys/class/hwmon"), -ENOENT);
    free(text);
    em__host_unref(copy);
    em__host_unref(host);
    static const char *const wrong[] = {
        "{\"files\": {}, \"directories\": {}}", "{\"files\": {}, \"directories\": [1]}",
        "{\"files\": {}, \"directories\": [\"sys\"]}",
        "{\"files\": {\"/a\": {\"content\": \"\", \"mode\": \"0444\"}}, \"directories\": [\"/a\"]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(em__machine_parse(wrong[i], strlen(wrong[i]), 0, NULL, NULL, 0, &host), -EINVAL);
    }
}

/* Links in circles, a tower of folders and far too many files: it ends, and says that there was more. */
static void a_recording_has_an_end(void)
{
    char path[2048] = "/sys/devices/virtual/powercap/intel-rapl", *text;
    em__host *host = empty();
    CHECK_INT(em__machine_set_link(host, "/sys/class/powercap/a", "b"), 0);
    CHECK_INT(em__machine_set_link(host, "/sys/class/powercap/b", "a"), 0);
    for (int i = 0; i < 40; i++) {
        snprintf(path + strlen(path), 32, "/deeper%02d", i);
    }
    strcat(path, "/energy_uj");
    put(host, path, "1\n", 0444, 0);
    for (int i = 0; i < 20000; i++) {
        snprintf(path, sizeof path, "/sys/class/power_supply/BAT0/number%05d", i);
        put(host, path, "1\n", 0444, 0);
    }
    em__host *copy = recorded(host, 0, &text);
    CHECK(strstr(text, "it is not complete") != NULL);
    CHECK(!strstr(text, "deeper10"));
    CHECK(strstr(text, "number00000") && !strstr(text, "number19999"));
    free(text);
    em__host_unref(copy);
    em__host_unref(host);
}

/* A pipe would hold a reader for ever, and what lies outside of the root is nobody's. */
static void only_files_below_the_root_are_read(void)
{
    char why[256] = "", *text;
    em__host *host = NULL;
    CHECK_INT(tree_begin(), 0);
    tree_file("/etc/secret", "a secret\n", 0644);
    tree_file("/sys/class/powercap/intel-rapl:0/name", "package-0\n", 0444);
    CHECK_INT(mkfifo(tree_path("/sys/class/powercap/intel-rapl:0/energy_uj"), 0644), 0);
    tree_link("/sys/class/powercap/out", "../../../../../../../../../../usr");
    CHECK_INT(em__host_open(tree_top, 0, NULL, why, sizeof why, &host), 0);
    em__host *copy = recorded(host, 0, &text);
    CHECK(!strstr(text, "energy_uj") && !strstr(text, "a secret") && !strstr(text, "/usr/"));
    CHECK(strstr(text, "/sys/class/powercap/out") != NULL);
    free(text);
    em__host_unref(copy);
    em__host_unref(host);
    tree_end();
}

/* Of the kernel's NVIDIA driver only models are kept, and a sleeping board is left alone. */
static void models_of_gpus(void)
{
    static const char awake[] = "/proc/driver/nvidia/gpus/0000:3b:00.0/information";
    static const char asleep[] = "/proc/driver/nvidia/gpus/0000:af:00.0/information";
    em__host *host = empty();
    char *text = NULL, model[64] = "";
    put(host, awake, "Model: \t\t Tesla T4\nIRQ: \t 37\nGPU UUID: \t GPU-11111111\n", 0444, 0);
    put(host, asleep, "Model: \t\t NVIDIA A30\n", 0444, 0);
    put(host, "/sys/bus/pci/devices/0000:af:00.0/power/runtime_status", "suspended\n", 0444, 0);
    em__host *copy = recorded(host, 0, &text);
    CHECK(em__host_text(copy, awake, model, sizeof model) > 0);
    CHECK_TEXT(model, "Model: \t\t Tesla T4");
    CHECK(em__host_text(copy, asleep, model, sizeof model) < 0);
    CHECK(text && !strstr(text, "GPU-1111"));
    free(text);
    em__host_unref(copy);
    em__host_unref(host);
}

int main(void)
{
    RUN(digests_are_those_of_the_standard);
    RUN(values_modes_links_and_errors_come_back);
    RUN(a_sleeping_gpu_is_left_alone);
    RUN(what_names_a_machine_is_hashed);
    RUN(folders_that_hold_nothing_are_there);
    RUN(a_recording_has_an_end);
    RUN(only_files_below_the_root_are_read);
    RUN(models_of_gpus);
    return CHECK_DONE();
}
