/* SPDX-License-Identifier: Apache-2.0
 * Several `dari` on one database: lease, epoch, commits whose outcome is unknown, takeover, calls to hosts, and evacuation.
 * Rules: src/store/lease.h, src/store/postgresql_lease.c, dari_fence() in src/store/postgresql_schema.c, and
 * ctx_check_may_act() in src/base/ctx.h. tests/simulation/all-45-writers.py checks it with Debian's spin.
 *
 * Time. A tick is half a second. All durations count down at each tick, so the model needs no clock: lease_left is the database's view
 * of the lease, left[p] the holder's. A process may stand still (SIGSTOP, a paused virtual machine) for any number of ticks, while time,
 * the database and hosts go on. Clocks run at one rate.
 *
 * Network. What was sent may arrive late, or never. A commit whose connection broke may still be carried out by the database.
 *
 * Changes. Two clients repeat their change, with its client token, until it is answered. Change PLACE moves the guest to host 1.
 *
 * Each guard of the product can be left out by -DNO_<guard>; the model then must fail. -DLATE_CALLS: hosts may carry out a call at any
 * later time, so calls of two writers may be under way at once; without it they do so within CALL_MAX ticks, or never. Late calls need
 * locks of disks that a host keeps while it is cut off, as Ceph's are. A lock of NFS ends then: with it, the model finds a guest that runs
 * twice, after a former writer's late start on a host that is cut off at once, in the moment in which the new writer starts it elsewhere.
 */
#ifndef EPOCHS
#define EPOCHS 3 /* takeovers, which bounds the model */
#endif
#ifdef LATE_CALLS /* durations do not matter then */
#define TTL 1
#define MARGIN 0
#define WAIT 0
#else
#define TTL 4    /* LEASE_TTL_MS */
#define MARGIN 1 /* LEASE_MARGIN_MS */
#define WAIT 5   /* LEASE_TTL_MS + LEASE_MARGIN_MS after the former lease's end */
#endif
#define CALL_MAX 6 /* MARGIN + WAIT */

#define PLACE 2 /* the second change */

#define FOLLOWER 0
#define TAKING 1
#define WRITER 2

#define NONE 0
#define SENT 1
#define DONE 2    /* the answer is on its way */
#define REFUSED 3 /* likewise */
#define UNKNOWN 4 /* of a commit: its connection broke */
#define ASKED 1   /* of a call: may_act was asked; not sent yet */
#define CALLED 2

#define START 0
#define STOP 1
#define OFF 2 /* the host's power */

/* ---- the database */
byte db_epoch = 0, db_batch = 0, db_has = 0, lease_left = 0;
/* ---- clients: who got an answer */
byte answered = 0;
/* ---- hosts */
bool runs[2], is_cut[2], is_off[2];
byte acted_epoch = 0; /* of the latest call that a host carried out */

typedef process {
	byte role;
	bool stands_still;
	byte epoch, batch, has; /* memory */
	byte left, acts_in;
	bool is_lost;
	byte renewal, renewal_age;
	byte commit, commit_what, commit_base;
	bool is_ghost; /* the database may still carry out a commit whose connection broke */
	byte ghost_what, ghost_base, ghost_epoch;
	byte call, call_kind, call_host, call_age, call_epoch;
}
process p[2];

#define IS_HELD(n) (!p[n].is_lost && p[n].left > 0)
#ifdef NO_MARGIN
#define IS_IN_TIME(n) (p[n].left > 0)
#else
#define IS_IN_TIME(n) (p[n].left > MARGIN)
#endif
#ifdef NO_WAIT
#define HAS_WAITED(n) true
#else
#define HAS_WAITED(n) (p[n].acts_in == 0)
#endif
#define MAY_ACT(n) (p[n].role == WRITER && !p[n].is_lost && IS_IN_TIME(n) && HAS_WAITED(n))
#define PLACE_OF(n) (p[n].has & PLACE -> 1 : 0)
#ifdef LATE_CALLS
#define IS_LOCKED_BY(h) runs[h]
#else
#define IS_LOCKED_BY(h) (runs[h] && !is_cut[h])
#endif
#define LESS(x) x = (x > 0 -> x - 1 : 0)

/* Ends a process; its supervisor starts it again as a follower. What it sent goes on without it. */
inline end(n)
{
	p[n].role = FOLLOWER;
	p[n].stands_still = false;
	p[n].left = 0; p[n].acts_in = 0; p[n].is_lost = false;
#ifndef NO_LOAD
	p[n].has = 0; p[n].batch = 0;
#endif
	p[n].renewal = NONE; p[n].renewal_age = 0;
	if
	:: p[n].commit == SENT && !p[n].is_ghost -> p[n].is_ghost = true; p[n].ghost_what = p[n].commit_what;
		p[n].ghost_base = p[n].commit_base; p[n].ghost_epoch = p[n].epoch
	:: else
	fi;
	p[n].commit = NONE; p[n].commit_what = 0; p[n].commit_base = 0;
	p[n].epoch = 0;
	if
	:: p[n].call == ASKED -> p[n].call = NONE; p[n].call_kind = 0; p[n].call_host = 0; p[n].call_epoch = 0
	:: else
	fi
}

/* dari_fence() */
inline commit_in_database(of_epoch, base, what, ret_ok)
{
	ret_ok = true;
#ifndef NO_EPOCH
	ret_ok = ret_ok && of_epoch == db_epoch;
#endif
#ifndef NO_BATCH
	ret_ok = ret_ok && base == db_batch;
#endif
	if
	:: ret_ok -> assert((db_has & what) == 0); /* no change is made twice */
		db_has = db_has | what; db_batch++
	:: else
	fi
}

inline happened(n)
{
	p[n].has = p[n].has | p[n].commit_what;
	p[n].batch++;
	answered = answered | p[n].commit_what;
	assert((answered & ~db_has) == 0); /* no answered change is lost */
	p[n].commit = NONE; p[n].commit_what = 0; p[n].commit_base = 0
}

inline forget_call(n)
{
	p[n].call = NONE; p[n].call_kind = 0; p[n].call_host = 0; p[n].call_age = 0; p[n].call_epoch = 0
}

/* A host that loses power ends the connections to it, so no call from before reaches it later. */
inline lose_calls(h)
{
	if
	:: p[0].call == CALLED && p[0].call_kind != OFF && p[0].call_host == h -> forget_call(0)
	:: else
	fi;
	if
	:: p[1].call == CALLED && p[1].call_kind != OFF && p[1].call_host == h -> forget_call(1)
	:: else
	fi
}

inline carry_out(n)
{
#ifndef LATE_CALLS
	assert(p[n].call_epoch >= acted_epoch); /* hosts see the writers in their order */
	acted_epoch = p[n].call_epoch;
#endif
	if
	:: p[n].call_kind == OFF -> runs[p[n].call_host] = false; is_off[p[n].call_host] = true; lose_calls(p[n].call_host)
	:: p[n].call_kind == STOP && !is_cut[p[n].call_host] -> runs[p[n].call_host] = false
#ifdef NO_LOCK
	:: p[n].call_kind == START && !is_cut[p[n].call_host] && !is_off[p[n].call_host] -> runs[p[n].call_host] = true
#else
	:: p[n].call_kind == START && !is_cut[p[n].call_host] && !is_off[p[n].call_host] && !IS_LOCKED_BY(1 - p[n].call_host) ->
		runs[p[n].call_host] = true
#endif
	:: else
	fi;
	assert(!(runs[0] && runs[1])); /* never two guests on one disk */
	forget_call(n)
}

proctype dari(byte n)
{
	bool is_ok = false;
	do
	/* --- lease */
	:: d_step { p[n].role == FOLLOWER && !p[n].stands_still && db_epoch < EPOCHS && p[n].call == NONE && !p[n].is_ghost ->
		p[n].role = TAKING; p[n].renewal = SENT; p[n].renewal_age = 0 }
	:: d_step { p[n].role == TAKING && p[n].renewal == SENT ->
#ifndef NO_EXPIRY
		if
		:: lease_left > 0 -> p[n].renewal = REFUSED
		:: else ->
#endif
			p[n].acts_in = lease_left + WAIT;
#ifdef NO_RAISE
			p[n].epoch = (db_epoch == 0 -> 1 : db_epoch); db_epoch = p[n].epoch;
#else
			db_epoch++; p[n].epoch = db_epoch;
#endif
#ifndef NO_LOAD
			p[n].batch = db_batch; p[n].has = db_has;
#endif
			lease_left = TTL; p[n].renewal = DONE
#ifndef NO_EXPIRY
		fi
#endif
		}
	:: d_step { p[n].role == TAKING && p[n].renewal == REFUSED && !p[n].stands_still -> end(n) }
	:: d_step { p[n].role == TAKING && p[n].renewal == DONE && !p[n].stands_still ->
		p[n].role = WRITER;
		p[n].left = (p[n].renewal_age < TTL -> TTL - p[n].renewal_age : 0);
		p[n].renewal = NONE; p[n].renewal_age = 0 }
	:: d_step { p[n].role == WRITER && !p[n].stands_still && p[n].renewal == NONE && !p[n].is_lost ->
		p[n].renewal = SENT; p[n].renewal_age = 0 }
	:: d_step { p[n].role == WRITER && p[n].renewal == SENT ->
#ifdef NO_RENEWAL_EPOCH
		lease_left = TTL; p[n].renewal = DONE
#else
		if
		:: p[n].epoch == db_epoch -> lease_left = TTL; p[n].renewal = DONE
		:: else -> p[n].renewal = REFUSED
		fi
#endif
		}
	:: d_step { p[n].role == WRITER && p[n].renewal == DONE && !p[n].stands_still ->
#ifdef NO_SENT
		p[n].left = TTL;
#else
		if
		:: p[n].renewal_age < TTL && TTL - p[n].renewal_age > p[n].left -> p[n].left = TTL - p[n].renewal_age
		:: else
		fi;
#endif
		p[n].renewal = NONE; p[n].renewal_age = 0 }
	:: d_step { p[n].role == WRITER && p[n].renewal == REFUSED && !p[n].stands_still -> end(n) } /* status 71 */
	:: d_step { p[n].role == WRITER && (p[n].renewal == SENT || p[n].renewal == DONE) && !p[n].stands_still ->
		p[n].renewal = NONE; p[n].renewal_age = 0 } /* no answer in time */

	/* --- changes */
	:: d_step { p[n].role == WRITER && !p[n].stands_still && p[n].commit == NONE && (p[n].has & 1) == 0 ->
		p[n].commit = SENT; p[n].commit_what = 1; p[n].commit_base = p[n].batch }
	:: d_step { p[n].role == WRITER && !p[n].stands_still && p[n].commit == NONE && (p[n].has & PLACE) == 0 ->
		p[n].commit = SENT; p[n].commit_what = PLACE; p[n].commit_base = p[n].batch }
	:: d_step { p[n].role == WRITER && !p[n].stands_still && (p[n].has & ~answered) != 0 ->
		answered = answered | p[n].has } /* the client's repetition, found by its token */
	:: d_step { p[n].commit == SENT ->
		commit_in_database(p[n].epoch, p[n].commit_base, p[n].commit_what, is_ok);
		p[n].commit = (is_ok -> DONE : REFUSED); is_ok = false }
	:: d_step { p[n].commit == DONE && !p[n].stands_still -> happened(n) }
	:: d_step { p[n].commit == REFUSED && !p[n].stands_still -> end(n) }
	:: d_step { p[n].commit == SENT && !p[n].is_ghost -> p[n].commit = UNKNOWN;
		p[n].is_ghost = true; p[n].ghost_what = p[n].commit_what; p[n].ghost_base = p[n].commit_base; p[n].ghost_epoch = p[n].epoch }
	:: d_step { p[n].commit == DONE || p[n].commit == REFUSED -> p[n].commit = UNKNOWN }
	:: d_step { p[n].is_ghost ->
		commit_in_database(p[n].ghost_epoch, p[n].ghost_base, p[n].ghost_what, is_ok);
		is_ok = false; p[n].is_ghost = false; p[n].ghost_what = 0; p[n].ghost_base = 0; p[n].ghost_epoch = 0 }
	:: d_step { p[n].is_ghost -> p[n].is_ghost = false; p[n].ghost_what = 0; p[n].ghost_base = 0; p[n].ghost_epoch = 0 }
	:: d_step { p[n].commit == UNKNOWN && !p[n].stands_still -> /* reads the fence's row */
		if
		:: p[n].epoch != db_epoch -> end(n)
		:: p[n].epoch == db_epoch && db_batch > p[n].commit_base -> happened(n)
		:: else -> p[n].commit = SENT
		fi }

	/* --- reads from memory, while the lease is held: they show every answered change, and nobody else writes */
	:: d_step { p[n].role == WRITER && !p[n].stands_still && IS_HELD(n) && p[n].commit == NONE ->
		assert((answered & ~p[n].has) == 0);
		assert(p[n].epoch == db_epoch);
		skip }

	/* --- calls to hosts: the step asks, looks at the hosts, and sends */
	:: d_step { !p[n].stands_still && p[n].call == NONE && MAY_ACT(n) && runs[1 - PLACE_OF(n)] && !is_cut[1 - PLACE_OF(n)] ->
		p[n].call = ASKED; p[n].call_kind = STOP; p[n].call_host = 1 - PLACE_OF(n); p[n].call_epoch = p[n].epoch }
	:: d_step { !p[n].stands_still && p[n].call == NONE && MAY_ACT(n) && !runs[PLACE_OF(n)] && !is_cut[PLACE_OF(n)] && !is_off[PLACE_OF(n)] &&
#ifdef NO_PROOF
		(is_cut[1 - PLACE_OF(n)] || !runs[1 - PLACE_OF(n)]) ->
#else
		(is_off[1 - PLACE_OF(n)] || (!is_cut[1 - PLACE_OF(n)] && !runs[1 - PLACE_OF(n)])) ->
#endif
		p[n].call = ASKED; p[n].call_kind = START; p[n].call_host = PLACE_OF(n); p[n].call_epoch = p[n].epoch }
	:: d_step { !p[n].stands_still && p[n].call == NONE && MAY_ACT(n) && is_cut[1 - PLACE_OF(n)] && !is_off[1 - PLACE_OF(n)] ->
		p[n].call = ASKED; p[n].call_kind = OFF; p[n].call_host = 1 - PLACE_OF(n); p[n].call_epoch = p[n].epoch }
	:: d_step { p[n].call == ASKED && !p[n].stands_still ->
#ifndef NO_RECHECK
		if
		:: MAY_ACT(n) -> p[n].call = CALLED
		:: else -> forget_call(n)
		fi
#else
		p[n].call = CALLED
#endif
		}
	:: d_step { p[n].call == CALLED -> carry_out(n) }
	:: d_step { p[n].call == CALLED -> forget_call(n) }

	/* --- what goes wrong */
	:: d_step { !p[n].stands_still && p[n].role != FOLLOWER -> p[n].stands_still = true }
	:: d_step { p[n].stands_still -> p[n].stands_still = false }
	:: d_step { p[n].role != FOLLOWER -> end(n) } /* kill -9 */
	od
}

inline age(n)
{
	LESS(p[n].left);
	LESS(p[n].acts_in);
	if
	:: p[n].renewal != NONE && p[n].renewal_age < TTL -> p[n].renewal_age++
	:: else
	fi;
#ifndef LATE_CALLS
	if
	:: p[n].call == CALLED -> p[n].call_age++
	:: else
	fi
#endif
}

init {
	atomic {
		if
		:: runs[0] = true
		:: skip
		fi;
		run dari(0); run dari(1)
	};
	do
	:: d_step { p[0].call_age < CALL_MAX && p[1].call_age < CALL_MAX ->
		LESS(lease_left);
		age(0); age(1) }
	:: d_step { !is_cut[0] -> is_cut[0] = true } /* the guest goes on */
	:: d_step { is_cut[0] -> is_cut[0] = false; is_off[0] = false } /* with the guest, or started again without it */
	od
}
