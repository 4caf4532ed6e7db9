/* SPDX-License-Identifier: Apache-2.0
 * Collects what the hosts' Open vSwitch reports by IPFIX, for flow logs: a thread reads the datagrams and adds each report to the
 * flows of the logs that cover its interface. Rows are not read here: the reconciler says which interfaces are watched. Any thread
 * may call. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"
#include "drivers/network.h"

struct flow_collector;

/* Maximum numbers of flows in memory until a file has them: for a log, for an account, and for the region. */
enum { FLOWS_OF_LOG = 20000, FLOWS_OF_ACCOUNT = 50000, FLOWS_OF_ALL = 200000 };
/* Files that may fail in a row before their flows are given up. */
enum { FLOW_TRIES = 10 };

/* An interface that a log covers. tap: flow_tap(). */
struct flow_watch {
	uint64_t tap; /* 0: none; keeps the interval of a log that covers no interface yet */
	uuid log, account;
	int64_t interval_us;
	int64_t since_us; /* end of the log's last interval, or its creation; used when the log is new to the collector */
	int64_t uncovered; /* with tap 0: interfaces of the log that are beyond its account's share, and are not watched */
};
/* An address of an interface in a datapath, its network or router. */
struct flow_end {
	uint32_t datapath;
	struct ip ip;
	uint64_t tap;
};
struct flow_plan {
	struct flow_watch *watches;
	size_t watch_count;
	struct flow_end *ends; /* every interface of the watched routers, covered by a log or not */
	size_t end_count;
	const struct network_drop *drops;
	size_t drop_count;
};

/* Packets of one flow of one interface in an interval. */
struct flow_record {
	uint64_t tap;
	bool is_out; /* sent by the interface */
	bool is_reject;
	struct ip source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
	int64_t packets, bytes, start_us, end_us;
};
struct flow_take {
	struct flow_record *records; /* in the arena; sorted by interface */
	size_t count;
	int64_t skipped;   /* records that were dropped in the interval */
	int64_t from_us;   /* its beginning */
	bool is_lost;      /* a process that ended had the records */
	int64_t uncovered; /* interfaces that were not watched */
};

/* The number in the name of the interface's device on its host, "dt0123456789a". */
uint64_t flow_tap(uuid port);

/* Listens at "ADDRESS:PORT"; empty: nothing is ever received. exporters: addresses and blocks whose datagrams are read; none: all.
 * ERR_INVALID; ERR_IO: the address cannot be used. */
RESULT flow_collector_new(struct ctx *c, struct str listen, struct strs exporters,
			  struct flow_collector **ret_collector);
void flow_collector_free(struct flow_collector *f); /* ends the thread; ignores NULL */

/* Called by the collector's thread when a log's interval is over, repeatedly until its flows have been read. UUID_NONE asks for a
 * new plan. Must only post. */
typedef void flow_due(void *arg, uuid log, uuid account);
/* Starts the thread. ERR_NO_MEMORY. */
RESULT flow_collector_start(struct flow_collector *f, struct ctx *c, flow_due *due, void *arg);
/* Ends the thread: due() is not called after the return. Ignores NULL. */
void flow_collector_stop(struct flow_collector *f);
/* True if it listens. */
bool flow_collector_listens(const struct flow_collector *f);
/* Sets what is watched; sorts the plan's lists, and copies them. Logs that are not watched any more are forgotten. False: out of
 * memory, and the plan is the one of before. */
bool flow_collector_watch(struct flow_collector *f, struct flow_plan *plan, int64_t now_us);
/* Takes the log's flows since the last interval, or since it is watched. Flows that were reported lately stay for the next
 * interval, because what was dropped of them may still be reported. *ret_is_due false: the log is not watched, or its interval is
 * not over. */
RESULT flow_collector_take(struct flow_collector *f, struct ctx *c, uuid log, int64_t now_us,
			   bool *ret_is_due, struct flow_take *ret_take);
/* Gives back what was taken, because no file could be written: the next file has it, a minute later at the earliest. Flows beyond the
 * limits count as skipped. False: the log's files have failed FLOW_TRIES times in a row, and what was taken is gone. */
bool flow_collector_give_back(struct flow_collector *f, uuid log, const struct flow_take *take,
			      int64_t now_us);
/* The log's file was written: counts its failures from the beginning. */
void flow_collector_forget_failures(struct flow_collector *f, uuid log);
