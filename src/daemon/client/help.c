/* SPDX-License-Identifier: Apache-2.0
 * Help: lists commands under headings, shows a command's arguments, options and examples, and suggests
 * corrections. */
#include "daemon/client/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	WORD_MAX = 64,
	FORM_SIZE = 26, /* column width for options; the description of a longer one is on the next line */
	NEAR = 2,       /* tolerated typing errors */
};

const char help_default_config[] = "/etc/dari/dari.yaml";

/* Headings of the complete help, and the first words of their commands. Commands without a heading come
 * last. */
static const struct heading {
	const char *title, *words;
} headings[] = {
	{"Getting started", " init serve dev doctor console login logout "},
	{"Accounts, users and permissions", " account user role sign-in env limit signup "},
	{"Hosts and storage", " host pool whatif balance "},
	{"Networks", " network reach "},
	{"Images and instances", " image export instance "},
	{"Clouds elsewhere", " provider remote migrate "},
	{"Checking and repair", " explain audit adopt purge log store backup restore events "},
	{"Prices and billing", " prices bill billing commitment webhook "},
	{"Support and subscriptions", " ticket desk subscriptions "},
	{"Tables of the program, for tools", " dump "},
};

static const struct example {
	const char *words, *lines;
} examples[] = {
	{"init", "dari init --plan\n  dari init --yes --region eu-1 --zone a --account company"},
	{"dev", "dari dev\n  dari dev --data ~/dari-test --port 8790"},
	{"console", "dari console --account company --user admin"},
	{"account create", "dari account create company"},
	{"user create", "dari user create ann --password-stdin < password.txt"},
	{"role grant", "dari role grant member --user ann --account company"},
	{"sign-in add-saml", "dari sign-in add-saml company --metadata idp.xml --account company --title "
			     "'Company SSO' --make-users"},
	{"sign-in passwords", "dari sign-in passwords refused --domain Default"},
	{"env", "eval \"$(dari env company)\""},
	{"host add", "dari host add hv1 --zone eu-1a\n  dari host add root@192.0.2.11 --zone eu-1a --plan"},
	{"host maintenance", "dari host maintenance hv1 --from now --reason \"new disks\""},
	{"host drain", "dari host drain hv1"},
	{"image get", "dari image get debian-12"},
	{"image import", "dari image import debian.qcow2 --name debian-12"},
	{"explain", "dari explain i-0123456789abcdef0"},
	{"reach", "dari reach internet web-1 --port 443"},
	{"log audit", "dari log audit --json"},
};

/* ---- parts ---- */

static bool first_word_is(const struct command *command, const char *word)
{
	size_t n = strlen(word);
	return strncmp(command->words, word, n) == 0 && (command->words[n] == ' ' || !command->words[n]);
}

/* Index in headings[]; the number of headings for "others". */
static size_t heading_of(const struct command *command)
{
	char word[WORD_MAX];
	const size_t count = sizeof headings / sizeof headings[0];
	snprintf(word, sizeof word, " %.*s ", (int) strcspn(command->words, " "), command->words);
	for (size_t k = 0; k < count; k++)
		if (strstr(headings[k].words, word))
			return k;
	return count;
}

/* Writes "ca-file" as "CA_FILE". */
static const char *metavar(const char *name, char text[static WORD_MAX])
{
	size_t n = 0;
	for (; name[n] && n < WORD_MAX - 1; n++)
		text[n] = name[n] == '-' ? '_' : (char) toupper((unsigned char) name[n]);
	text[n] = '\0';
	return text;
}

/* ---- the whole help, and a group's ---- */

struct listing {
	const char *first, *lead; /* lists commands beginning with the words `first`; lead: each line's
				   * beginning */
	bool has_single;          /* also the command that consists of those words alone */
	size_t count;
	FILE *to; /* NULL: only count */
};

static void list_one(void *arg, const struct command *command)
{
	struct listing *l = arg;
	if (!first_word_is(command, l->first) || (!l->has_single && strcmp(command->words, l->first) == 0))
		return;
	l->count++;
	if (l->to)
		fprintf(l->to, "  %s%-22s %s\n", l->lead, command->words, command->doc);
}

static void list_other(void *arg, const struct command *command)
{
	if (heading_of(command) == sizeof headings / sizeof headings[0])
		list_one(
			&(struct listing){.first = command->words, .lead = "", .has_single = true, .to = arg},
			command);
}

/* Lists a heading's commands, word by word. */
static void list_heading(const struct heading *h)
{
	char words[128], *rest = NULL;
	snprintf(words, sizeof words, "%s", h->words);
	printf("\n%s\n", h->title);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		command_each(list_one,
			     &(struct listing){.first = word, .lead = "", .has_single = true, .to = stdout});
}

bool help_is_group(const char *words)
{
	struct listing l = {.first = words};
	command_each(list_one, &l);
	return l.count > 0;
}

int help_print_group(const char *words)
{
	printf("usage: dari %s COMMAND …\n\n", words);
	command_each(list_one, &(struct listing){.first = words, .lead = "dari ", .to = stdout});
	printf("\n`dari %s COMMAND --help` explains one.\n", words);
	return 0;
}

int help_print_all(void)
{
	printf("dari: one open cloud control plane\n\nusage: dari [--config FILE] COMMAND …\n"
	       "       dari --url URL [--ca-file FILE] COMMAND …\n");
	for (size_t k = 0; k < sizeof headings / sizeof headings[0]; k++)
		list_heading(&headings[k]);
	command_each(list_other, stdout);
	printf("\nExamples\n"
	       "  dari dev                        try a simulated region, without root\n"
	       "  sudo dari init --plan           show what a new region would write\n"
	       "  dari host --help                list the commands of a group\n"
	       "  dari help host add              explain one command\n"
	       "\nThe configuration is %s, or DARI_CONFIG's. With --url a server on another\n"
	       "machine is asked, where `dari login` has signed in. `dari --version` prints the version.\n",
	       help_default_config);
	return 0;
}

/* ---- one command ---- */

static bool is_positional(const struct command_param *p)
{
	return p->kind == PARAM_POSITIONAL;
}

static bool is_required_option(const struct command_param *p)
{
	return p->kind != PARAM_POSITIONAL && p->required;
}

static bool is_free_option(const struct command_param *p)
{
	return p->kind != PARAM_POSITIONAL && !p->required;
}

static void print_params(const struct command *command, const char *title,
			 bool (*belongs)(const struct command_param *p), bool has_json)
{
	bool is_first = true;
	for (const struct command_param *p = command->params; p < command_params_end(command); p++) {
		char value[WORD_MAX], form[2 * WORD_MAX];
		if (!belongs(p))
			continue;
		metavar(p->name, value);
		if (p->kind == PARAM_POSITIONAL)
			snprintf(form, sizeof form, "%s", value);
		else
			snprintf(form, sizeof form, "--%s%s%s", p->name, p->kind == PARAM_OPTION ? " " : "",
				 p->kind == PARAM_OPTION ? value : "");
		printf("%s%s  %-26s%s%*s %s%s\n", is_first ? title : "", is_first ? "\n" : "", form,
		       strlen(form) > FORM_SIZE ? "\n" : "", strlen(form) > FORM_SIZE ? FORM_SIZE + 2 : 0, "",
		       p->doc, p->repeats ? " May be given several times." : "");
		is_first = false;
	}
	if (has_json)
		printf("%s%s  %-26s %s\n", is_first ? title : "", is_first ? "\n" : "", "--json",
		       "Prints JSON, for programs.");
}

int help_print_command(const struct command *command)
{
	bool has_options = false, has_json = command->run || command->ask;
	char value[WORD_MAX];
	printf("usage: dari %s", command->words);
	for (const struct command_param *p = command->params; p < command_params_end(command); p++) {
		metavar(p->name, value);
		has_options |= is_free_option(p);
		if (is_positional(p))
			printf(p->required ? " %s" : " [%s]", value);
		else if (p->required)
			printf(" --%s%s%s", p->name, p->kind == PARAM_OPTION ? " " : "",
			       p->kind == PARAM_OPTION ? value : "");
	}
	printf("%s%s\n\n  %s\n", has_options ? " [OPTIONS]" : "", has_json ? " [--json]" : "", command->doc);
	print_params(command, "\nArguments", is_positional, false);
	print_params(command, "\nRequired options", is_required_option, false);
	print_params(command, "\nOptions", is_free_option, has_json);
	for (size_t k = 0; k < sizeof examples / sizeof examples[0]; k++)
		if (strcmp(examples[k].words, command->words) == 0)
			printf("\nExamples\n  %s\n", examples[k].lines);
	if (help_is_group(command->words)) {
		printf("\nFurther commands\n");
		command_each(list_one,
			     &(struct listing){.first = command->words, .lead = "dari ", .to = stdout});
	}
	return 0;
}

/* ---- did you mean ---- */

/* Counts insertions, deletions, substitutions and swaps of adjacent letters between two short words. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX] = {0}, n = strlen(a), m = strlen(b);
	if (n >= WORD_MAX || m >= WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    older[j - 2] + 1 < best)
				best = older[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[n % 3][m];
}

/* The nearest word found so far. */
struct nearest {
	const char *typed, *found;
	size_t distance;
};

static void weigh(struct nearest *n, const char *word)
{
	size_t d = distance(n->typed, word);
	if (d <= NEAR && d < n->distance && d < strlen(n->typed)) {
		n->found = word;
		n->distance = d;
	}
}

static void weigh_command(void *arg, const struct command *command)
{
	weigh(arg, command->words);
}

void help_suggest_command(int argc, char **argv)
{
	char typed[WORD_MAX];
	const bool has_second = argc > 1 && argv[1][0] != '-';
	snprintf(typed, sizeof typed, "%s%s%s", argv[0], has_second ? " " : "", has_second ? argv[1] : "");
	struct nearest n = {.typed = typed, .distance = SIZE_MAX};
	weigh(&n, "help");
	weigh(&n, "--version");
	command_each(weigh_command, &n);
	if (!n.found && has_second && !help_is_group(argv[0])) { /* the first word may be wrong */
		n.typed = argv[0];
		command_each(weigh_command, &n);
	}
	if (n.found)
		fprintf(stderr, "Did you mean `dari %s`?\n", n.found);
	else
		command_each(list_one, &(struct listing){.first = argv[0], .lead = "dari ", .to = stderr});
}

const char *help_near_option(const struct command *command, const char *name)
{
	struct nearest n = {.typed = name, .distance = SIZE_MAX};
	for (const struct command_param *p = command->params; p < command_params_end(command); p++)
		if (p->kind != PARAM_POSITIONAL)
			weigh(&n, p->name);
	return n.found;
}
