/* SPDX-License-Identifier: Apache-2.0
 * How fast a disk may be read and written, both together: what EC2 documents of the types that it has. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* Zero is no limit. A burst is a higher rate that is held for its seconds at most, out of what was left
 * unused before: a bucket of rate times seconds, full at first, which fills again at the lasting rate. */
struct disk_limits {
	int64_t iops, iops_burst, iops_burst_s;    /* operations a second */
	int64_t iops_size;                         /* bytes: a larger operation counts as several */
	int64_t bytes, bytes_burst, bytes_burst_s; /* bytes a second */
};

/* Of a volume of that type; size: bytes; iops, throughput (MiB/s): what it has, 0: the type has none that are
 * shown. A type that is not EC2's has no limits. */
struct disk_limits model_limit_disk(struct str type, int64_t size, int64_t iops, int64_t throughput);
