/* SPDX-License-Identifier: Apache-2.0
 * What software guests ran in a month, from the usage log's records "software:PRODUCT:SOURCE:HOST" (model/licence.h): hours and peaks
 * by account, product, source and band, peaks by the hour, and which hosts had guests of a product, for however short a
 * time. Pure: the same for the same records. */
#pragma once

#include "base/vec.h"
#include "metering/month.h"
#include "model/licence.h"
#include "model/row.h"

enum { SOFTWARE_HOURS = 31 * 24 };

/* How much of it there was at once: how many guests, and their vCPUs. */
struct software_level {
	int64_t guests, vcpus;
};

/* Of one account, product and source. */
struct software_line {
	uuid account;
	struct str product;
	enum licence_source source;
	struct software_band {
		int64_t seconds, vcpu_seconds; /* of all guests together */
		int64_t begun_hours;           /* each run of a guest rounded up by itself */
		int64_t guests;                /* different ones */
		struct software_level now, peak;
	} bands[2];                                  /* small, large (licence_band()) */
	struct software_level now, peak;             /* of both bands */
	int64_t since_s;                             /* private: since when `now` */
	struct software_level hours[SOFTWARE_HOURS]; /* the peak of each hour of the month */
};

/* A host that had guests of a product, whoever's. */
struct software_host {
	uuid host;
	struct str product;
	enum licence_source source;
	int64_t now, peak; /* guests */
};

struct software_use {
	struct arena *arena;
	struct month month;
	int64_t until_s; /* the end of the month, or now */
	VEC(struct software_line *) lines;
	VEC(struct software_host) hosts;
	/* private: guests that are on, by a hash of (id, product, source) */
	struct software_run *runs;
	size_t run_count, run_room;
	int64_t at_s; /* of the last record */
};

/* now_s: until when what lasts counts. What it holds is in the arena. */
RESULT software_use_begin(struct ctx *c, struct month month, int64_t now_s, struct software_use *ret_use);
/* Records of all times come in the order of the log; those of other meters are passed over. */
RESULT software_use_take(struct software_use *u, struct ctx *c, uuid account, uuid id, struct str meter,
			 int64_t at_us, int64_t level);
/* What is on lasts until the end. */
void software_use_end(struct software_use *u);

/* As Microsoft counts the cores of a host: eight of a processor at least, and sixteen of a host. 0 where nothing is known of it. */
int64_t software_count_cores(int64_t cores, int64_t sockets);
