/* SPDX-License-Identifier: Apache-2.0
 * Reports to a Satellite or a Candlepin by HTTP: which guests are on which hosts, and a check-in. Sources:
 * Candlepin's API specification (hypervisors, jobs); virt-who. Calls block for up to half a minute, so use
 * threads that may wait. The operator configured the server, so it may be at any address. */
#pragma once

#include "base/ctx.h"

struct candlepin {
	struct str url;          /* without the path of the API */
	bool is_satellite;       /* its API is below /rhsm */
	struct str organisation; /* its key */
	struct str user;         /* empty: authenticated by the certificate */
	struct str secret;       /* the password, or the certificate's private key in PEM */
	struct str certificate;  /* PEM; empty: none */
	struct str authority;    /* CA in PEM; empty: the system's CAs */
	struct str reporter;
};

/* The outcome of a report. */
enum candlepin_state {
	CANDLEPIN_TAKEN,   /* accepted */
	CANDLEPIN_WAITS,   /* its job is still running */
	CANDLEPIN_REFUSED, /* its job failed or was cancelled */
	CANDLEPIN_LATER    /* rate limited: retry after retry_s */
};
struct candlepin_answer {
	enum candlepin_state state;
	struct str job, words; /* id of a running job; text of a failure */
	int64_t retry_s;
};

/* ERR_IO, with a message: unreachable, or refused. */
RESULT candlepin_tell(struct ctx *c, const struct candlepin *server, struct str mapping,
		      struct candlepin_answer *ret_answer);
RESULT candlepin_ask_job(struct ctx *c, const struct candlepin *server, struct str job,
			 struct candlepin_answer *ret_answer);
RESULT candlepin_beat(struct ctx *c, const struct candlepin *server, struct candlepin_answer *ret_answer);

/* Evaluates an answer; pure. retry_after: the header's text; empty: absent. */
RESULT candlepin_read_answer(struct ctx *c, const struct candlepin *server, long status, struct str body,
			     struct str retry_after, struct candlepin_answer *ret_answer);
