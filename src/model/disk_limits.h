/* SPDX-License-Identifier: Apache-2.0
 * How fast a disk may be read and written, both together: what EC2 documents for its volume types.
 * Pure. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "model/row.h"

/* 0 means no limit. A burst is a higher rate, for at most so many seconds, that uses what was left
 * unused before: a bucket of rate times seconds, which is full at first and fills again at the
 * lasting rate. */
struct disk_limits {
	int64_t iops, iops_burst, iops_burst_s;    /* operations a second */
	int64_t iops_size;                         /* bytes; a larger operation counts as several */
	int64_t bytes, bytes_burst, bytes_burst_s; /* bytes a second */
};

/* The limits of a volume of that type. size: bytes. iops and throughput (MiB/s): what it has; 0:
 * the type shows none. A type that is not EC2's has no limits. */
struct disk_limits model_limit_disk(struct str type, int64_t size, int64_t iops, int64_t throughput);

/* What Cinder's QoS specs say, in place of that: total_iops_sec and total_bytes_sec, with _max or _per_gb behind
 * them, and size_iops_sec. Others, and what is no number, change nothing. */
void model_limit_by_specs(struct tags specs, int64_t size, struct disk_limits *limits);
