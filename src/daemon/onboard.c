/* SPDX-License-Identifier: Apache-2.0
 * The protocol between `dari host add` and host_add.sh. */
#include "daemon/onboard.h"

#include "daemon/ssh.h"
#include "drivers/network.h"
#include "host_add.h"

enum { FIELDS = 4 };

static const char *const words[] = {
	[ONBOARD_OK] = "ok",       [ONBOARD_NOTE] = "note",       [ONBOARD_WRONG] = "wrong",
	[ONBOARD_WOULD] = "would", [ONBOARD_CHANGED] = "changed", [ONBOARD_COMMAND] = "command",
	[ONBOARD_FACT] = "fact",   [ONBOARD_REQUEST] = "request", [ONBOARD_END] = "end",
};

struct str onboard_write_script(struct arena *a, const struct onboard_wish *w)
{
	const struct {
		const char *name;
		struct str value;
	} variables[] = {
		{"mode", str_from(w->mode)},
		{"only", str_from(w->only)},
		{"renew", w->renew ? STR("yes") : STR_NONE},
		{"region", w->region},
		{"control", w->control},
		{"name", w->name},
		{"address", w->address},
		{"pool", w->pool},
		{"remote", w->remote},
		{"uplink", w->uplink},
		{"physical_network", w->physical_network},
		{"underlay", w->underlay},
		{"flows", w->flows},
		{"sample_set", str_print(a, "%d", NETWORK_SAMPLE_SET)},
		{"ca", str_trim(w->ca)},
		{"libvirt_certificate", str_trim(w->libvirt_certificate)},
		{"qemu_certificate", str_trim(w->qemu_certificate)},
	};
	struct str script = STR("# dari\n");
	for (size_t k = 0; k < sizeof variables / sizeof *variables && script.p; k++)
		script = str_print(a, "%" STR_FMT "%s=%" STR_FMT "\n", STR_ARG(script), variables[k].name,
				   STR_ARG(ssh_quote(a, variables[k].value)));
	return script.p ? str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(script), STR_ARG(page_host_add_sh))
			: STR_NONE;
}

struct onboard_line onboard_read_line(struct arena *a, struct str line)
{
	struct onboard_line other = {.what = ONBOARD_OTHER};
	struct str fields[FIELDS] = {0};
	size_t count = 0;
	while (count < FIELDS && str_split_next(&line, '\t', &fields[count]))
		count++;
	if (count < 2 || !str_is(fields[0], "dari-host"))
		return other;
	for (enum onboard_what what = ONBOARD_OK; what < ONBOARD_OTHER; what++)
		if (str_is(fields[1], words[what]))
			return (struct onboard_line){.what = what,
						     .step = ssh_make_plain(a, fields[2]),
						     .found = ssh_make_plain(a, fields[3])};
	return other;
}

void onboard_count(struct onboard_outcome *o, const struct onboard_line *line)
{
	const struct {
		enum onboard_what what;
		const char *step;
		struct str *value;
	} values[] = {
		{ONBOARD_REQUEST, "libvirt", &o->libvirt_request},
		{ONBOARD_REQUEST, "qemu", &o->qemu_request},
		{ONBOARD_FACT, "name", &o->name},
		{ONBOARD_FACT, "address", &o->address},
		{ONBOARD_FACT, "certificate", &o->certificate},
		{ONBOARD_FACT, "trusted", &o->trusted},
	};
	o->has_ended = o->has_ended || line->what == ONBOARD_END;
	o->wrong += line->what == ONBOARD_WRONG;
	o->would += line->what == ONBOARD_WOULD;
	o->changed += line->what == ONBOARD_CHANGED;
	for (size_t k = 0; k < sizeof values / sizeof *values; k++)
		if (line->what == values[k].what && str_is(line->step, values[k].step))
			*values[k].value = line->found;
}
