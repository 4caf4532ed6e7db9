/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes qcow2 files cluster by cluster in this process, for copying between the image store and
 * pools of raw images in pieces. Supports only the store's format: version 2 or 3, without backing file,
 * compression and encryption. Source: docs/interop/qcow2.txt of QEMU. */
#pragma once

#include "base/ctx.h"

enum { QCOW2_CLUSTER_SIZE = 64 * 1024 };

/* ---- writing: what the file has at each place follows from which parts of the disk it is to hold */

/* A run of the disk's clusters; runs are ascending and disjoint. Clusters outside all runs are absent from
 * the file. */
struct qcow2_run {
	int64_t from, count;
	bool is_zero; /* read as zeros, even when laid over another file */
};

struct qcow2_plan;

/* size: the disk's, in bytes. runs: copied. ERR_INVALID: a run out of order or beyond the size, or a size
 * above QCOW2_SIZE_MAX. */
RESULT qcow2_plan_new(struct ctx *c, int64_t size, const struct qcow2_run *runs, size_t count,
		      struct qcow2_plan **ret_plan);
void qcow2_plan_free(struct qcow2_plan *p); /* ignores NULL */
DEFINE_AUTO(qcow2_plan)
int64_t qcow2_plan_file_size(const struct qcow2_plan *p); /* a multiple of QCOW2_CLUSTER_SIZE */

/* The content of the file's cluster at that offset: disk data, or metadata. */
struct qcow2_place {
	bool is_data;
	int64_t at, size; /* for data: offset on the disk, and number of contiguous bytes */
};
/* own: filled if it is metadata. */
struct qcow2_place qcow2_plan_at(const struct qcow2_plan *p, int64_t offset,
				 uint8_t own[static QCOW2_CLUSTER_SIZE]);

/* ---- reading */

#define QCOW2_SIZE_MAX (INT64_C(64) << 40)

struct qcow2_file;

/* ERR_INVALID: not such a file. ERR_IO: unreadable. */
RESULT qcow2_open(struct ctx *c, const char *path, struct qcow2_file **ret_file);
void qcow2_close(struct qcow2_file *f); /* ignores NULL */
static inline void qcow2_file_autoclose(struct qcow2_file **f)
{
	qcow2_close(*f);
}
#define AUTO_QCOW2_FILE __attribute__((cleanup(qcow2_file_autoclose))) struct qcow2_file
int64_t qcow2_size(const struct qcow2_file *f); /* bytes of the disk */

struct qcow2_extent {
	int64_t size;    /* bytes of the disk for which the following holds */
	int64_t file_at; /* offset in the file; -1: zeros */
};
/* Finds the extent at an offset of the disk. ERR_INVALID: damaged or compressed. */
RESULT qcow2_find(struct qcow2_file *f, struct ctx *c, int64_t at, struct qcow2_extent *ret_extent);
/* Reads from the file. ERR_IO: it ends earlier. */
RESULT qcow2_read(struct qcow2_file *f, struct ctx *c, int64_t file_at, void *bytes, size_t size);
