/* SPDX-License-Identifier: Apache-2.0
 * Rate limits of disks: for reading and writing together, as EC2 documents its volume types, or for each, as Cinder's QoS specs say. Pure. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "model/row.h"

/* 0: no limit. A burst is a higher rate for a limited number of seconds that uses up saved credit: a bucket
 * of rate times seconds, initially full, refilled at the base rate. */
struct disk_rate {
	int64_t rate, burst, burst_s;
};

/* QEMU takes either a limit for both directions or one for each: where a rate of iops or bytes for one direction is set, the
 * common one is 0. */
struct disk_limits {
	int64_t iops, iops_burst, iops_burst_s;    /* operations per second */
	int64_t iops_size;                         /* bytes; larger operations count several times */
	int64_t bytes, bytes_burst, bytes_burst_s; /* bytes per second */
	struct disk_rate read_iops, write_iops, read_bytes, write_bytes;
};

/* Limits of a volume type. size: bytes. iops and throughput (MiB/s): the volume's values; 0: the type has
 * none. Types unknown to EC2 have no limits. */
struct disk_limits model_limit_disk(struct str type, int64_t size, int64_t iops, int64_t throughput);

/* Applies Cinder QoS specs instead: total_iops_sec, total_bytes_sec, or read_ and write_ in place of total_, optionally with the
 * suffix _max or _per_gb, and size_iops_sec. total_ wins over read_ and write_. Ignores other keys and invalid numbers. */
void model_limit_by_specs(struct tags specs, int64_t size, struct disk_limits *limits);
