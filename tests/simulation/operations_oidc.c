/* SPDX-License-Identifier: Apache-2.0
 * OpenID Connect providers in IAM: creation, deletion, audiences. A provider is named by the ARN from its
 * creation, and identified by its URL; `labels` are its audiences. */
#include <stdio.h>

#include "simulation.h"

enum { URLS = 3, CLIENTS_OF_ONE = 3 };

static struct thing *find_provider(const struct request *x)
{
	EACH (&x->s->model, t, KIND_OIDC_PROVIDER)
		if (t->account == x->account && strcmp(t->description, x->name) == 0)
			return t;
	return NULL;
}

static void add_client(struct request *x, const char *parameter)
{
	x->count = (int64_t) random_below(CLIENTS_OF_ONE);
	request_add(x, parameter, "c%d", (int) x->count);
}

static bool draw_new(struct request *x)
{
	snprintf(x->name, sizeof x->name, "i.x/%d", (int) random_below(URLS));
	request_add(x, "Version", IAM_VERSION);
	request_add(x, "Url", "https://%s", x->name);
	add_client(x, "ClientIDList.member.1");
	return true;
}

static void judge_new(const struct request *x, struct verdict *v)
{
	if (find_provider(x))
		refuse(v, "EntityAlreadyExists");
}

static void apply_new(struct request *x, struct str answer)
{
	struct thing *t = model_add(&x->s->model, KIND_OIDC_PROVIDER, x->account, NULL, STR_NONE);
	snprintf(t->description, sizeof t->description, "%.7s", x->name);
	snprintf(t->name, sizeof t->name, "%" STR_FMT,
		 STR_ARG(answer_at(answer, "CreateOpenIDConnectProviderResult/OpenIDConnectProviderArn")));
	t->labels = 1u << x->count;
}

/* An existing or former provider of the account, whose ARN is known. */
static bool draw_known(struct request *x)
{
	const struct model *m = &x->s->model;
	const struct thing *picked = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < m->count; k++)
		if (m->things[k].kind == KIND_OIDC_PROVIDER && m->things[k].account == x->account &&
		    random_below(++count) == 0)
			picked = &m->things[k];
	if (!picked)
		return false;
	snprintf(x->name, sizeof x->name, "%s", picked->description);
	request_add(x, "Version", IAM_VERSION);
	request_add(x, "OpenIDConnectProviderArn", "%s", picked->name);
	return true;
}

static bool draw_client(struct request *x)
{
	if (!draw_known(x))
		return false;
	add_client(x, "ClientID");
	return true;
}

static bool draw_thumbprint(struct request *x)
{
	if (!draw_known(x))
		return false;
	request_add(x, "ThumbprintList.member.1", "%040d", (int) random_below(10));
	return true;
}

/* The ARN is resolved before the change runs: the provider may have been replaced by then. */
static void judge_known(const struct request *x, struct verdict *v)
{
	size_t gone = 0;
	for (size_t k = 0; k < x->s->model.count; k++) {
		const struct thing *t = &x->s->model.things[k];
		gone += t->kind == KIND_OIDC_PROVIDER && t->account == x->account && t->life == GONE &&
			strcmp(t->description, x->name) == 0;
	}
	if (!find_provider(x) || gone)
		refuse_or_doubt(v, !find_provider(x), "NoSuchEntity");
}

/* To delete a provider that is not there succeeds, as IAM's reference says. */
static void judge_gone(const struct request *x, struct verdict *v)
{
	if (find_provider(x))
		judge_known(x, v);
}

static void apply_gone(struct request *x, struct str answer)
{
	struct thing *t = find_provider(x);
	(void) answer;
	if (t)
		t->life = GONE;
}

static void apply_client(struct request *x, struct str answer)
{
	(void) answer;
	find_provider(x)->labels |= 1u << x->count;
}

static void apply_no_client(struct request *x, struct str answer)
{
	(void) answer;
	find_provider(x)->labels &= ~(1u << x->count);
}

/* A read, whose answer is compared with the model at once. */
static void apply_shown(struct request *x, struct str answer)
{
	const struct thing *t = find_provider(x);
	struct str shown = answer_at(answer, "GetOpenIDConnectProviderResult");
	if (!str_is(answer_at(shown, "Url"), t->description))
		blame(x->s, "#%d: its URL is another", (int) x->serial);
	for (unsigned k = 0; k < CLIENTS_OF_ONE; k++) {
		char member[32];
		snprintf(member, sizeof member, "<member>c%u</member>", k);
		if (str_contains(answer_at(shown, "ClientIDList"), str_from(member)) != (t->labels >> k & 1))
			blame(x->s, "#%d: not as expected is whether it has the audience c%u",
			      (int) x->serial, k);
	}
}

static const struct operation rows[] = {
	{"CreateOpenIDConnectProvider", 2, {}, NULL, draw_new, judge_new, apply_new},
	{"GetOpenIDConnectProvider", 2, {}, NULL, draw_known, judge_known, apply_shown},
	{"DeleteOpenIDConnectProvider", 1, {}, NULL, draw_known, judge_gone, apply_gone},
	{"AddClientIDToOpenIDConnectProvider", 2, {}, NULL, draw_client, judge_known, apply_client},
	{"RemoveClientIDFromOpenIDConnectProvider", 1, {}, NULL, draw_client, judge_known, apply_no_client},
	{"UpdateOpenIDConnectProviderThumbprint", 1, {}, NULL, draw_thumbprint, judge_known, NULL},
};
const struct operations oidc_operations = {rows, sizeof rows / sizeof *rows};
