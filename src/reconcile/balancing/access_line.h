/* SPDX-License-Identifier: Apache-2.0
 * Turns a proxy's report about a request (drivers/haproxy/config_log.c) into an entry of an access log, and the report about a connection's
 * first request into an entry of a connection log; names files. Sources: User Guides for Application, Network and Classic Load Balancers,
 * "Access logs" and "Connection logs". */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "reconcile/balancing/access_collector.h"

/* Names that entries need, by what a report has of them. */
struct access_group {
	uuid id;
	struct str arn;
};
struct access_certificate {
	char sha1[41]; /* upper case; the digest is the one over DER */
	struct str arn;
};
struct access_names {
	const struct access_group *groups;
	size_t group_count;
	const struct access_certificate *certificates;
	size_t certificate_count;
};

/* Appends the entry. False: the line is no report, or is cut off; nothing is appended. */
bool access_line_write(struct buf *out, struct str report, const struct access_subject *subject,
		       const struct access_names *names);

/* True if the report is about a connection that has had no request: its handshake failed. */
bool access_line_is_connection_alone(struct str report);
/* Appends an entry of a connection log. False: the report is about a later request of its connection, or no report. */
bool access_line_write_connection(struct buf *out, struct str report);

/* "prefix/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/11/30/123456789012_elasticloadbalancing_us-east-1_app.web.…_20261130T0005Z_10.0.0.4_….log.gz" */
struct str access_file_name(struct arena *a, const struct access_subject *subject, bool is_of_connections,
			    int64_t end_us);
/* "prefix/AWSLogs/123456789012/ELBAccessLogTestFile" */
struct str access_test_name(struct arena *a, const struct access_subject *subject, bool is_of_connections);
