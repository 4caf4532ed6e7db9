/* SPDX-License-Identifier: Apache-2.0
 * Writes flow records as the lines of a flow log's file, compresses them, and names the file as EC2 does. */
#pragma once

#include "base/buf.h"
#include "model/flow_format.h"
#include "reconcile/network/flow_collector.h"

/* An interface as its records show it; texts are EC2's. */
struct flow_interface {
	struct str account, interface, vpc, subnet, instance, zone;
	struct ip ip; /* the primary address */
};
struct flow_interval {
	struct str region;
	int64_t from_us, to_us;
};

/* The names of the fields. */
void flow_file_head(struct buf *b, const struct flow_format *format);
void flow_file_record(struct buf *b, const struct flow_format *format, const struct flow_interval *interval,
		      const struct flow_interface *of, const struct flow_record *record);
/* A line without a flow: status is "NODATA" or "SKIPDATA". */
void flow_file_status(struct buf *b, const struct flow_format *format, const struct flow_interval *interval,
		      const struct flow_interface *of, const char *status);
/* ERR_NO_MEMORY; ERR_IO. */
RESULT flow_file_compress(struct ctx *c, struct str text, struct buf *into);
/* "folder/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/11/29/123456789012_vpcflowlogs_us-east-1_fl-…_20261129T1310Z_….log.gz" */
struct str flow_file_name(struct arena *a, struct str folder, struct str account, struct str log,
			  const struct flow_interval *interval, bool is_hourly);
