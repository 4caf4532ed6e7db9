/* SPDX-License-Identifier: Apache-2.0
 * Runs of playbooks that machine policies want: ansible-runner as a child, with a time limit, on lanes of their own, which
 * bound how many run at once and how many of one account. A playbook may not be repeatable, so a run that the end of Dari cut off
 * counts as failed. */
#include <string.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"
#include "engine/machine_policy/machine_policy.h"
#include "reconcile/playbook_command.h"
#include "reconcile/work.h"
#include "store/machine_policy.h"
#include "store/policy_finding.h"
#include "store/provider.h"
#include "store/remote_machine.h"

enum { VALUE_MAX = 255, OUTPUT_CAP = 256 * 1024, FILE_SIZE_MAX = 64 * 1024 * 1024, ESCAPE = 0x1b };

/* A run, copied out of the view. */
struct run {
	struct playbook_report report;
	struct playbook_run playbook;
};

/* ---- variables ---- */

/* Letters, digits and ._:- alone: Ansible evaluates templates in variables, and names and tags are texts of strangers. */
static bool is_plain(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (!str_is_alphanumeric(text.p[k]) && !memchr("._:-", text.p[k], 4))
			return false;
	return text.n && text.n <= VALUE_MAX;
}

static void add_var(struct buf *out, const char *name, struct str value)
{
	if (is_plain(value))
		buf_print(out, "%s\"%s\": \"%" STR_FMT "\"", out->size > 1 ? ", " : "", name, STR_ARG(value));
}

static void add_ip(struct arena *a, struct buf *out, const char *name, struct ips ips)
{
	if (ips.count)
		add_var(out, name, ip_to_str(a, ips.at[0]));
}

static struct str write_vars(struct arena *a, const struct tables *t, const struct machine_policy *p,
			     const struct policy_finding *f)
{
	const struct remote_machine *m = remote_machine_find(t, f->machine);
	const struct provider *provider = m ? provider_find(t, m->provider) : NULL;
	struct buf out;
	buf_init(&out, PLAYBOOK_OUTPUT_MAX);
	buf_add_char(&out, '{');
	add_var(&out, "dari_rule", str_from(machine_policy_rule_words[p->rule]));
	if (p->event)
		add_var(&out, "dari_event", str_from(machine_policy_event_words[p->event]));
	add_var(&out, "dari_account", uuid_to_str(a, f->account));
	add_var(&out, "dari_kind", m ? STR("remote_machine") : STR("instance"));
	add_var(&out, "dari_id", uuid_to_str(a, m ? f->machine : f->instance));
	if (m) {
		add_var(&out, "dari_ref", m->ref);
		add_var(&out, "dari_type", m->type);
		add_ip(a, &out, "dari_private_ip", m->private_ips);
		add_ip(a, &out, "dari_public_ip", m->public_ips);
	}
	if (provider)
		add_var(&out, "dari_provider", provider->name);
	buf_add_char(&out, '}');
	struct str text = str_copy(a, buf_str(&out));
	buf_done(&out);
	return text;
}

/* ---- the run ---- */

static RESULT gather(struct step *s, struct run *run)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct policy_finding *f = policy_finding_find(view.tables, s->id);
	const struct machine_policy *p = f ? machine_policy_find(view.tables, f->policy) : NULL;
	if (!p)
		return OK;
	run->report = (struct playbook_report){.finding = s->id,
					       .run_us = f->run_us,
					       .from = f->run,
					       .to = POLICY_FINDING_RUN_DONE,
					       .guard = s->r->later_guard};
	run->playbook = (struct playbook_run){.ident = str_print(s->ctx.arena, "%" STR_FMT "-%lld",
								 STR_ARG(uuid_to_str(s->ctx.arena, s->id)),
								 (long long) f->run_us),
					      .playbook = str_copy(s->ctx.arena, p->playbook),
					      .limit_s = p->playbook_limit_s,
					      .vars = write_vars(s->ctx.arena, view.tables, p, f)};
	return arena_is_full(s->ctx.arena) ? ctx_no_memory(&s->ctx) : OK;
}

/* A run ends with the server, and with its policy or machine, whose finding is gone then: whoever removes a policy stops a playbook
 * that runs amok. */
static bool is_over(void *step)
{
	const struct step *s = step;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct policy_finding *f = policy_finding_find(view.tables, s->id);
	return !f || f->run != POLICY_FINDING_RUN_RUNNING || work_is_stopping(s->r);
}

/* Index behind the escape sequence at k (ECMA-48, 5.4), such as a colour: ESC, '[', parameters and a letter. */
static size_t skip_escape(struct str text, size_t k)
{
	k++;
	if (k == text.n || text.p[k] != '[')
		return k;
	for (k++; k < text.n && text.p[k] >= ' ' && text.p[k] < '@'; k++)
		;
	return k < text.n ? k + 1 : k;
}

/* Copies the text without control characters and colours: ansible-runner gives Ansible a pseudo terminal. */
static struct str strip(struct arena *a, struct str text)
{
	char *copy = arena_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t k = 0; copy && k < text.n;) {
		if (text.p[k] == ESCAPE) {
			k = skip_escape(text, k);
			continue;
		}
		if (text.p[k] == '\n' || (unsigned char) text.p[k] >= ' ')
			copy[n++] = text.p[k];
		k++;
	}
	return (struct str){copy, n};
}

/* The end of the text, cut between letters. */
static struct str end_of(struct str text)
{
	size_t from = text.n > PLAYBOOK_OUTPUT_MAX ? text.n - PLAYBOOK_OUTPUT_MAX : 0;
	while (from < text.n && from && ((unsigned char) text.p[from] & 0xc0) == 0x80)
		from++;
	struct str end = str_slice(text, from, text.n);
	return text.p && str_is_utf8(end) ? end : STR_NONE;
}

static struct str say_end(struct step *s, struct result result, const struct child_end *end)
{
	struct arena *a = s->ctx.arena;
	if (result.code == ERR_TIMEOUT)
		return STR("The playbook did not end in time, and was killed.");
	if (result.code == ERR_GONE)
		return STR("Dari ended while the playbook ran, and killed it. It is not known what it has "
			   "done.");
	if (!result_is_ok(result))
		return str_copy(a, s->ctx.problem.message);
	return end->status ? str_print(a, "The playbook failed with exit status %d.", end->status) : STR_NONE;
}

static RESULT run_playbook(struct step *s, struct run *run)
{
	struct arena *a = s->ctx.arena;
	struct child_end end = {0};
	struct playbook_command command;
	TRY(playbook_command_make(&s->ctx, s->r, &run->playbook, &command));
	const struct child child = {.argv = command.argv,
				    .timeout_us = run->playbook.limit_s * SECOND,
				    .output_cap_size = OUTPUT_CAP,
				    .file_limit_size = FILE_SIZE_MAX,
				    .keeps_ends = true,
				    .ends_descendants = true,
				    .is_over = is_over,
				    .over_of = s};
	struct result result = child_run(&s->ctx, &child, &end);
	run->report.problem = say_end(s, result, &end);
	ctx_clear_problem(&s->ctx);
	if (!result_is_ok(result))
		playbook_command_stop(&s->ctx, s->r, run->playbook.ident);
	run->report.exit_status = result_is_ok(result) ? end.status : 0;
	run->report.output =
		end_of(strip(a, str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(end.out), STR_ARG(end.err))));
	return OK;
}

static RESULT step_finding(struct step *s)
{
	struct run *run = STEP_NEW(s, struct run);
	TRY(gather(s, run));
	if (run->report.from == POLICY_FINDING_RUN_WANTED) {
		run->report.to = POLICY_FINDING_RUN_RUNNING;
		s->work->has_begun = true; /* a process that finds a run under way did not begin it */
		step_again(s);
	} else if (run->report.from != POLICY_FINDING_RUN_RUNNING) {
		s->work->has_begun = false;
		return OK;
	} else if (!s->work->has_begun) {
		playbook_command_stop(&s->ctx, s->r, run->playbook.ident);
		run->report.problem =
			STR("Dari ended while the playbook ran. It is not known what it has done.");
	} else if (!s->r->playbook_directory[0]) {
		run->report.problem = STR("The operator has configured no directory of playbooks.");
	} else {
		TRY(run_playbook(s, run));
	}
	struct playbook_report *report = STEP_NEW(s, struct playbook_report);
	*report = run->report;
	step_report(s, engine_see_playbook_run, report);
	return OK;
}

/* ---- wake-ups ---- */

static void wake_finding(struct reconciler *r, const struct row *row)
{
	const struct policy_finding *f = policy_finding_of(row);
	if (f->run == POLICY_FINDING_RUN_WANTED || f->run == POLICY_FINDING_RUN_RUNNING)
		work_wake(r, lane_playbooks(f->account), KIND_POLICY_FINDING, row->id, WAKE_WISH);
}

const struct resource reconcile_policy_finding = {
	.step = step_finding, .is_swept = true, .wake = wake_finding};
