/* SPDX-License-Identifier: Apache-2.0
 * Executes the lines of golden cases; see script.h. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "drivers/sim/compute.h"
#include "engine/instance/instance_event.h"
#include "engine/region/fence.h"
#include "engine/region/host.h"
#include "engine/resolve.h"
#include "model/host.h"
#include "model/instance.h"

static struct str look_up(struct script *s, struct str name)
{
	if (str_is(name, "image"))
		return s->stage->image;
	if (str_is(name, "image_uuid") && s->stage->image_uuid.n)
		return s->stage->image_uuid;
	for (size_t k = s->count; k > 0; k--) {
		struct str text = world_find(s->stage->arena, s->history[k - 1].body, name);
		if (text.n)
			return text;
	}
	if (s->stage->is_lenient)
		return name;
	fprintf(stderr, "golden: nothing is called %.*s\n", STR_ARG(name));
	exit(2);
}

/* The part behind the last "/". */
static struct str last_part(struct str text)
{
	size_t from = text.n;
	while (from > 0 && text.p[from - 1] != '/')
		from--;
	return str_slice(text, from, text.n);
}

/* "name/64": the value up to its first "/", then "/64". "name/": only the value up to its first "/". "name/-": the value behind its last "/",
 * such as the id at the end of a URL. */
static void add_value(struct script *s, struct str name, struct buf *b)
{
	size_t slash = str_find_char(name, '/', 0);
	struct str text = look_up(s, str_slice(name, 0, slash));
	if (str_is(str_slice(name, slash, name.n), "/-")) {
		buf_add_str(b, last_part(text));
		return;
	}
	if (slash >= name.n) {
		buf_add_str(b, text);
		return;
	}
	buf_add_str(b, str_slice(text, 0, str_find_char(text, '/', 0)));
	if (slash + 1 < name.n)
		buf_add_str(b, str_slice(name, slash, name.n));
}

struct str script_expand(struct script *s, struct str line)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	for (size_t k = 0; k < line.n;) {
		if (line.p[k] != '$' || k + 1 == line.n || line.p[k + 1] != '(') {
			buf_add_char(&b, line.p[k++]);
			continue;
		}
		size_t end = str_find_char(line, ')', k);
		add_value(s, str_slice(line, k + 2, end), &b);
		k = end + 1;
	}
	struct str text = str_copy(s->stage->arena, buf_str(&b));
	buf_done(&b);
	return text;
}

/* ---- lines ---- */

static void note(struct script *s, struct world_answer answer)
{
	if (s->count == SCRIPT_HISTORY_MAX && s->stage->is_lenient)
		return;
	if (s->count == SCRIPT_HISTORY_MAX) {
		fprintf(stderr, "golden: more than %d calls\n", SCRIPT_HISTORY_MAX);
		exit(2);
	}
	s->history[s->count++] = answer;
}

/* Parses "@bob …", the caller; alice by default. */
static enum script_user take_user(struct str *line)
{
	static const char *const names[] = {[SCRIPT_BOB] = "@bob ",
					    [SCRIPT_NOBODY] = "@nobody ",
					    [SCRIPT_ADMIN] = "@admin ",
					    [SCRIPT_KEY] = "@key "};
	for (enum script_user k = SCRIPT_BOB; k <= SCRIPT_KEY; k++)
		if (str_starts_with(*line, str_from(names[k]))) {
			*line = str_slice(*line, strlen(names[k]), line->n);
			return k;
		}
	return SCRIPT_ALICE;
}

/* "METHOD /path?query {…}". */
static bool is_request(struct str line)
{
	size_t space = str_find_char(line, ' ', 0);
	for (size_t k = 0; k < space; k++)
		if (line.p[k] < 'A' || line.p[k] > 'Z')
			return false;
	return space + 1 < line.n && line.p[space + 1] == '/';
}

bool script_read_request(const struct script *s, struct str line, struct script_request *ret_request)
{
	enum script_user user = take_user(&line);
	if (!is_request(line))
		return false;
	size_t path = str_find_char(line, ' ', 0) + 1, end = str_find_char(line, ' ', path);
	struct str target = str_slice(line, path, end);
	size_t question = str_find_char(target, '?', 0);
	*ret_request = (struct script_request){.user = user,
					       .method = str_slice(line, 0, path - 1),
					       .path = str_slice(target, 0, question),
					       .query = str_slice(target, question + 1, target.n),
					       .version = s->version,
					       .body = str_slice(line, end + 1, line.n)};
	return true;
}

static void run_call(struct script *s, struct str line)
{
	struct script_request request;
	s->called = line;
	if (s->stage->request && script_read_request(s, line, &request)) {
		note(s, s->stage->request(s->stage->self, &request));
		return;
	}
	enum script_user user = take_user(&line);
	bool is_get = line.n && line.p[0] == '?';
	line = str_slice(line, is_get, line.n);
	size_t name_end = str_find_char(line, '&', 0);
	if (str_find_char(line, '=', 0) > name_end)
		line = str_print(s->stage->arena, "Action=%" STR_FMT, STR_ARG(line));
	else if (str_find_char(line, '=', 0) == line.n && line.n)
		line = str_print(s->stage->arena, "Action=%" STR_FMT, STR_ARG(line));
	note(s, s->stage->call(s->stage->self, user, is_get, line));
}

/* ---- actions of the operator ---- */

struct host_plan {
	struct str instance; /* whose host it is */
	struct maintenance_wish wish;
};

/* Without a beginning it ends what was planned. */
static RESULT run_plan(struct op *op, void *arg)
{
	struct host_plan *plan = arg;
	struct ref ref = {0};
	const struct instance *instance = NULL;
	TRY(id_parse_ec2(plan->instance, KIND_INSTANCE, &ref));
	TRY(engine_find_instance(op->ctx, op->head, &ref, &instance));
	plan->wish.host = (struct ref){.kind = KIND_HOST, .prefix = instance->host, .bits = 128};
	struct maintenance_target target = {.host = plan->wish.host};
	return plan->wish.from_us ? engine_plan_maintenance(op, &plan->wish)
				  : engine_end_maintenance(op, &target);
}

static int64_t take_seconds(struct str *rest)
{
	struct str word;
	int64_t seconds = 0;
	bool is_said = str_split_next(rest, ' ', &word) && result_is_ok(str_parse_int(word, &seconds));
	return is_said ? clock_now_us() + seconds * SECOND : 0;
}

static void plan_maintenance(struct script *s, struct str rest)
{
	if (!s->stage->operate)
		return;
	static struct host_plan plan; /* longer than a change that a kill leaves on its way */
	plan = (struct host_plan){0};
	(void) str_split_next(&rest, ' ', &plan.instance);
	plan.wish.kind = HOST_MAINTENANCE_KIND_STOP;
	if (str_starts_with(rest, STR("reboot "))) {
		plan.wish.kind = HOST_MAINTENANCE_KIND_REBOOT;
		rest = str_slice(rest, 7, rest.n);
	}
	plan.wish.from_us = take_seconds(&rest);
	plan.wish.deadline_us = take_seconds(&rest);
	plan.wish.end_us = take_seconds(&rest);
	plan.wish.reason = STR("New fans");
	s->stage->operate(s->stage->self, run_plan, &plan);
}

/* In the first zone, beside the one that is there. */
static void add_host(struct script *s, struct str name)
{
	if (!s->stage->operate)
		return;
	static struct host_wish wish; /* as above */
	wish = (struct host_wish){.name = name,
				  .uri = str_print(s->stage->arena, "sim://%" STR_FMT, STR_ARG(name)),
				  .pool_path = STR("/var/lib/dari"),
				  .reserved_memory = -1};
	s->stage->operate(s->stage->self, engine_add_host_run, &wish);
}

/* Turns a host off, and has an operator confirm it. */
static void turn_host_off(struct script *s, struct str name)
{
	if (!s->stage->operate)
		return;
	static struct fence_word wish; /* as above */
	wish = (struct fence_word){.host = {.kind = KIND_HOST, .text = name}, .who = STR("kim")};
	sim_compute_cut_power(name);
	s->stage->wait(s->stage->self, MINUTE);
	s->stage->operate(s->stage->self, engine_vouch_fence_run, &wish);
}

void script_run(struct script *s, struct str line)
{
	if (str_is_empty(line) || line.p[0] == '#' || line.p[0] == '=')
		return;
	if (str_is(line, "@settle")) {
		s->stage->settle(s->stage->self);
	} else if (str_starts_with(line, STR("@wait "))) {
		int64_t seconds = 0;
		IGNORE(str_parse_int(str_slice(line, 6, line.n), &seconds)); /* 0 waits for nothing */
		s->stage->wait(s->stage->self, seconds * SECOND);
	} else if (str_starts_with(line, STR("@maintenance "))) {
		plan_maintenance(s, script_expand(s, str_slice(line, 13, line.n)));
	} else if (str_starts_with(line, STR("@host "))) {
		add_host(s, str_slice(line, 6, line.n));
	} else if (str_starts_with(line, STR("@off "))) {
		turn_host_off(s, str_slice(line, 5, line.n));
	} else if (str_starts_with(line, STR("@mask "))) {
		s->masks = str_slice(line, 6, line.n);
	} else if (str_starts_with(line, STR("@only "))) {
		s->only = str_slice(line, 6, line.n);
	} else if (str_starts_with(line, STR("@version "))) {
		s->version = str_slice(line, 9, line.n);
	} else {
		run_call(s, script_expand(s, line));
	}
}

bool script_is_call(struct str line)
{
	return !str_is_empty(line) && line.p[0] != '#' && line.p[0] != '=' &&
	       (line.p[0] != '@' || take_user(&line) != SCRIPT_ALICE);
}

bool script_next_case(struct str *rest, struct str *ret_name, struct str *ret_lines)
{
	struct str line;
	while (str_split_next(rest, '\n', &line)) {
		if (!str_starts_with(line, STR("== ")))
			continue;
		*ret_name = str_slice(line, 3, line.n);
		*ret_lines = *rest;
		struct str next = *rest;
		while (str_split_next(&next, '\n', &line) && !str_starts_with(line, STR("== ")))
			*rest = next;
		*ret_lines = (struct str){ret_lines->p, ret_lines->n - rest->n};
		return true;
	}
	return false;
}
