/* SPDX-License-Identifier: Apache-2.0
 * Flow logs: records of accepted and rejected traffic of network interfaces. The log of a VPC or subnet covers the interfaces
 * that it has at any time. reconcile/network/flow_log.c writes the records. */
#pragma once

#include "engine/operation.h"
#include "model/flow_log.h"

struct port;

/* Beginning of a log's problem if files are written, but the account's logs cover more interfaces than its share. The number of the
 * log's interfaces that are not recorded follows. */
#define FLOW_LOG_BEYOND                                                                                      \
	"The account's flow logs cover more interfaces than are recorded. Not recorded of this flow log: "

enum { FLOW_LOGS_OF_ONE = 2 /* maximum for a VPC, a subnet or an interface, as in EC2 */ };

/* Creates a flow log for each resource. ERR_EXISTS with KIND_FLOW_LOG: the resource has one with the same traffic and destination.
 * ERR_QUOTA with KIND_FLOW_LOG: it has FLOW_LOGS_OF_ONE. */
struct flow_log_wish {
	struct refs resources; /* all VPCs, all subnets or all interfaces */
	enum flow_log_traffic traffic;
	struct str destination, folder;
	bool is_unknown; /* the region has no such destination: resources are checked, and nothing is created */
	struct str format;
	int64_t interval_s;
	bool is_hourly;
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	struct uuids made;
};
OPERATION(engine_create_flow_logs, flow_log_wish)

/* Deletes all of them, or none. ERR_NOT_FOUND names those that do not exist. */
struct flow_log_deletions {
	struct refs logs;
};
OPERATION(engine_delete_flow_logs, flow_log_deletions)

/* For the reconciler: the outcome of an interval's file. */
struct flow_log_report {
	uuid log;
	uint64_t gen;
	int64_t delivered_us; /* 0: the file could not be written */
	int64_t records, skipped;
	struct str problem;
};
SYSTEM_OPERATION(engine_see_flow_log, flow_log_report)

/* The resource that the log is about: its kind and id. */
enum kind engine_flow_log_subject(const struct flow_log *log, uuid *ret_id);
/* True if the log covers the interface. */
bool engine_flow_log_covers(const struct tables *t, const struct flow_log *log, const struct port *port);
