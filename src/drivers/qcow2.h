/* SPDX-License-Identifier: Apache-2.0
 * qcow2 files, read and written cluster by cluster in this process: for pools of plain images, between which and the
 * image store content goes by pieces. Only the form that the image store has: version 2 or 3, standing by itself,
 * neither compressed nor encrypted. Source: docs/interop/qcow2.txt of QEMU. */
#pragma once

#include "base/ctx.h"

enum { QCOW2_CLUSTER_SIZE = 64 * 1024 };

/* ---- writing: what the file has at each place follows from which parts of the disk it is to hold */

/* Clusters of the disk, in ascending order and apart from each other. Those in none are not in the file. */
struct qcow2_run {
	int64_t from, count;
	bool is_zero; /* they read as zeros, whatever the file is laid over */
};

struct qcow2_plan;

/* size: of the disk, bytes. runs: copied. ERR_INVALID: a run that is out of order or beyond the size, or a
 * size beyond QCOW2_SIZE_MAX. */
RESULT qcow2_plan_new(struct ctx *c, int64_t size, const struct qcow2_run *runs, size_t count,
		      struct qcow2_plan **ret_plan);
void qcow2_plan_free(struct qcow2_plan *p); /* NULL: nothing */
DEFINE_AUTO(qcow2_plan)
int64_t qcow2_plan_file_size(const struct qcow2_plan *p); /* a multiple of QCOW2_CLUSTER_SIZE */

/* What the file's cluster at that offset is: clusters of the disk, or the file's own bytes. */
struct qcow2_place {
	bool is_data;
	int64_t at, size; /* of data: where on the disk, and how many bytes in a row are data from there on */
};
/* own: written where it is no data. */
struct qcow2_place qcow2_plan_at(const struct qcow2_plan *p, int64_t offset,
				 uint8_t own[static QCOW2_CLUSTER_SIZE]);

/* ---- reading */

#define QCOW2_SIZE_MAX (INT64_C(64) << 40)

struct qcow2_file;

/* ERR_INVALID: it is no such file. ERR_IO: it cannot be read. */
RESULT qcow2_open(struct ctx *c, const char *path, struct qcow2_file **ret_file);
void qcow2_close(struct qcow2_file *f);         /* NULL: nothing */
int64_t qcow2_size(const struct qcow2_file *f); /* of the disk, bytes */

struct qcow2_extent {
	int64_t size;    /* bytes of the disk, as long as what follows holds for */
	int64_t file_at; /* where they are in the file; -1: they are zeros */
};
/* What begins at a place of the disk. ERR_INVALID: the file is damaged, or compressed there. */
RESULT qcow2_find(struct qcow2_file *f, struct ctx *c, int64_t at, struct qcow2_extent *ret_extent);
/* Reads from the file. ERR_IO: it ends before. */
RESULT qcow2_read(struct qcow2_file *f, struct ctx *c, int64_t file_at, void *bytes, size_t size);
