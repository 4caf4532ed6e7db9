/* SPDX-License-Identifier: Apache-2.0
 * Swap disks: a swap area's header in the first cluster of a qcow2 file. */
#include "drivers/swap_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/qcow2.h"

/* Constants of x86-64 swap areas. The signature is at the end of the first page; numbers have the CPU's byte
 * order. */
enum { PAGE_SIZE = 4096, HEAD_AT = 1024, PAGES_MIN = 10 };
static const char signature[] = "SWAPSPACE2";

static void put_number(uint8_t *p, uint32_t number)
{
	for (size_t k = 0; k < sizeof number; k++)
		p[k] = (uint8_t) (number >> 8 * k);
}

/* Writes version, last page, number of bad pages and the area's UUID; no label. */
static void write_head(int64_t size, uuid id, uint8_t page[static PAGE_SIZE])
{
	put_number(page + HEAD_AT, 1);
	put_number(page + HEAD_AT + 4, (uint32_t) (size / PAGE_SIZE - 1));
	put_number(page + HEAD_AT + 8, 0);
	memcpy(page + HEAD_AT + 12, id.b, sizeof id.b);
	memcpy(page + PAGE_SIZE - (sizeof signature - 1), signature, sizeof signature - 1);
}

static RESULT write_clusters(struct ctx *c, const struct qcow2_plan *plan, int64_t size, uuid id, int fd)
{
	uint8_t *cluster = arena_alloc(c->arena, QCOW2_CLUSTER_SIZE);
	if (!cluster)
		return ctx_no_memory(c);
	for (int64_t at = 0; at < qcow2_plan_file_size(plan); at += QCOW2_CLUSTER_SIZE) {
		if (qcow2_plan_at(plan, at, cluster).is_data) {
			memset(cluster, 0, QCOW2_CLUSTER_SIZE);
			write_head(size, id, cluster);
		}
		if (pwrite(fd, cluster, QCOW2_CLUSTER_SIZE, at) != QCOW2_CLUSTER_SIZE)
			return ctx_fail(c, ERR_IO, "a file in memory: %s", strerrordesc_np(errno));
	}
	return OK;
}

RESULT swap_file_create(struct ctx *c, int64_t size, uuid id, int *ret_fd)
{
	const struct qcow2_run head = {.from = 0, .count = 1};
	AUTO(qcow2_plan) plan = NULL;
	if (size < PAGES_MIN * PAGE_SIZE || size / PAGE_SIZE - 1 > UINT32_MAX)
		return ctx_fail(c, ERR_INVALID, "a disk to swap on of %" PRId64 " bytes", size);
	TRY(qcow2_plan_new(c, size, &head, 1, &plan));
	AUTO_FD fd = memfd_create("swap", MFD_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "a file in memory: %s", strerrordesc_np(errno));
	TRY(write_clusters(c, plan, size, id, fd));
	*ret_fd = fd;
	fd = -1;
	return OK;
}
