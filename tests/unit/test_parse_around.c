/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What is mounted and what KFD lists, in lines as the kernel prints them (proc_pid_mountinfo(5), kfd_topology.c). */
#include "check.h"
#include "platform/parse.h"

#include <errno.h>

#define DOCKER_ROOT                                                                                                    \
    "733 610 0:61 / / rw,relatime master:304 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/AB,workdir=/w\n"
#define PROC "734 733 0:64 / /proc rw,nosuid - proc proc rw\n"

static void test_mounts(void)
{
    static const struct {
        const char *text;
        int error;
        em__root_image root;
    } cases[] = {
        {PROC DOCKER_ROOT, 0, EM__ROOT_DOCKER},
        {"1 0 0:1 / / rw - overlay overlay rw,lowerdir=/srv/ci/.local/share/containers/storage/overlay/l/X\n", 0,
         EM__ROOT_PODMAN},
        {"1 0 0:1 / / rw - fuse-overlayfs fuse rw,lowerdir=/var/lib/containers/storage/overlay\n", 0, EM__ROOT_PODMAN},
        {"1 0 0:1 / / rw - overlay overlay rw,lowerdir=/var/lib/containerd/io.containerd.snapshotter", 0,
         EM__ROOT_CONTAINERD},
        {"1 0 8:1 / / rw,relatime shared:1 propagate_from:2 - ext4 /dev/sda1 rw\n" PROC, 0, EM__ROOT_PLAIN},
        {"1 0 0:1 / / rw - overlay overlay rw,lowerdir=/run/rootfsbase\n", 0, EM__ROOT_PLAIN},
        {"1 0 0:1 / /var/lib/docker rw - overlay overlay rw,lowerdir=/var/lib/docker\n", 0, EM__ROOT_PLAIN},
        {"1 0 0:1 / / rw - overlay\n", 0, EM__ROOT_PLAIN},
        {"1 0 0:1 / / rw\n", 0, EM__ROOT_PLAIN},
        {"\n\n\n", 0, EM__ROOT_PLAIN},
        {"garbage", 0, EM__ROOT_PLAIN},
        {"", -EINVAL, EM__ROOT_PLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        em__root_image root = EM__ROOT_PLAIN;
        if (!CHECK_INT(em__parse_mounts(cases[i].text, strlen(cases[i].text), &root), cases[i].error) ||
            !CHECK_INT(root, cases[i].root)) {
            printf("# case %zu\n", i);
        }
    }
}

static void test_nodes(void)
{
    static const char gpu[] = "cpu_cores_count 0\nsimd_count 1216\nmem_banks_count 1\nlocation_id 9728\ndomain 1\n"
                              "max_waves_per_simd 8\nunique_id 6622471466282364144\n";
    em__kfd_node node = {0};
    CHECK_INT(em__parse_kfd_node(gpu, strlen(gpu), &node), 0);
    CHECK_INT(node.simds, 1216);
    CHECK_INT(node.location, 0x26 << 8);
    CHECK_INT(node.domain, 1);
    static const char *const wrong[] = {"",
                                        "simd_count",
                                        "simd_count \n",
                                        "simd_count x\n",
                                        "simd_counts 4\n",
                                        "simd_count 4\nlocation_id -1\n",
                                        "simd_count 4294967296\n",
                                        "domain 1\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(em__parse_kfd_node(wrong[i], strlen(wrong[i]), &node), -EINVAL);
    }
    CHECK_INT(node.simds, 1216);
    CHECK_INT(em__parse_kfd_node("simd_count 0", 12, &node), 0);
    CHECK_INT(node.location, 0);
}

int main(void)
{
    RUN(test_mounts);
    RUN(test_nodes);
    return CHECK_DONE();
}
