/* SPDX-License-Identifier: Apache-2.0
 * The processors and machine types that guests can have on a host. libvirt reports a host model
 * (virConnectGetDomainCapabilities); virConnectBaselineHypervisorCPU expands its features and omits those
 * that would prevent live migration. */
#include "model/processor.h"

#include <inttypes.h>

#include "base/heap.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"

#define ARCH "x86_64"
#define MACHINE "q35"

enum { FEATURES_MAX = 512, WORD_MAX = 63 };

static const char *type_of(enum host_seen_virt virt)
{
	return virt == HOST_SEEN_VIRT_KVM ? "kvm" : "qemu";
}

/* Checks for the characters of libvirt's model, feature and machine names. */
static bool is_word(struct str word)
{
	for (size_t k = 0; k < word.n; k++)
		if (!str_is_alphanumeric(word.p[k]) && (k == 0 || !strchr("-._", word.p[k])))
			return false;
	return word.n > 0 && word.n <= WORD_MAX;
}

/* ---- as libvirt writes it ---- */

static void write_features(struct buf *b, struct str cpu, bool hides_hypervisor)
{
	struct processor_walk walk = processor_begin(cpu);
	struct str name;
	bool is_there;
	while (processor_next(&walk, &name, &is_there))
		if (!hides_hypervisor || !str_is(name, "hypervisor"))
			buf_print(b, "<feature policy='%s' name='%" STR_FMT "'/>",
				  is_there ? "require" : "disable", STR_ARG(name));
}

void libvirt_write_processor(struct buf *b, enum host_seen_virt virt, struct str cpu, bool hides_hypervisor)
{
	const char *hidden = hides_hypervisor ? "<feature policy='disable' name='hypervisor'/>" : "";
	if (cpu.n) {
		buf_print(b,
			  "<cpu mode='custom' match='exact' check='partial'>"
			  "<model fallback='forbid'>%" STR_FMT "</model>",
			  STR_ARG(processor_model(cpu)));
		write_features(b, cpu, hides_hypervisor);
		buf_print(b, "%s</cpu>", hidden);
	} else if (virt == HOST_SEEN_VIRT_KVM)
		buf_print(b, "<cpu mode='host-passthrough' check='none' migratable='on'/>");
	else /* everything the emulator can do, except features list_features() disables */
		buf_print(b,
			  "<cpu mode='maximum' check='none'><feature policy='disable' name='la57'/>%s</cpu>",
			  hidden);
}

/* ---- as it is ---- */

static RESULT list_features(struct ctx *c, struct xml_tree *t, bool is_emulated, struct strs *ret_features)
{
	struct strs there = {0}, missing = {0};
	size_t count = 0;
	TRY(xml_tree_list(c, t, "/cpu/feature[@policy='require' or @policy='force']/@name", &there));
	TRY(xml_tree_list(c, t, "/cpu/feature[@policy='disable' or @policy='forbid']/@name", &missing));
	struct str *all = arena_new_array(c->arena, struct str, there.count + missing.count + 1);
	if (!all)
		return ctx_no_memory(c);
	if (there.count + missing.count > FEATURES_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "a processor of more than %d features", FEATURES_MAX);
	for (size_t k = 0; k < there.count + missing.count; k++) {
		bool is_there = k < there.count;
		struct str name = is_there ? there.at[k] : missing.at[k - there.count];
		/* Five-level paging is expensive to emulate, and some kernels mishandle it. */
		if (is_emulated && str_is(name, "la57"))
			is_there = false;
		if (is_word(name))
			all[count++] = is_there ? name : str_print(c->arena, "-%" STR_FMT, STR_ARG(name));
	}
	*ret_features = (struct strs){all, count};
	return OK;
}

/* Expands a processor definition into all features of its model. Empty: unknown to the host. */
static RESULT spell_out(struct compute_host *h, struct ctx *c, struct str definition, struct str vendor,
			struct str *ret_cpu)
{
	AUTO(xml_tree) t = NULL;
	const char *one = str_to_z(c->arena, definition);
	struct strs features = {0};
	AUTO_TEXT text = virConnectBaselineHypervisorCPU(
		h->conn, NULL, ARCH, MACHINE, type_of(h->virt), &one, 1,
		VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES | VIR_CONNECT_BASELINE_CPU_MIGRATABLE);
	*ret_cpu = STR_NONE;
	if (!text) /* the connection isn't lost; guests just get the host's full processor */
		return libvirt_check_alive(h, c);
	TRY(xml_tree_parse(c, str_from(text), &t));
	struct str model = xml_tree_find(c, t, "/cpu/model");
	struct str own = xml_tree_find(c, t, "/cpu/vendor");
	if (!is_word(model))
		return OK;
	TRY(list_features(c, t, h->virt != HOST_SEEN_VIRT_KVM, &features));
	vendor = vendor.n ? vendor : own;
	*ret_cpu = processor_write(c->arena, model, is_word(vendor) ? vendor : STR_NONE, features);
	return ret_cpu->n ? OK : ctx_no_memory(c);
}

/* Converts libvirt's <mode name='host-model'>, which has the content of a <cpu>. */
static RESULT write_host_model(struct ctx *c, struct xml_tree *t, struct str *ret_definition)
{
	const struct str begin = STR("<mode"), end = STR("</mode>");
	struct str mode =
		xml_tree_write(c, t, "/domainCapabilities/cpu/mode[@name='host-model' and @supported='yes']");
	size_t from = str_find_char(mode, '>', 0);
	*ret_definition = STR_NONE;
	if (!str_starts_with(mode, begin) || !str_ends_with(mode, end))
		return OK;
	*ret_definition = str_print(c->arena, "<cpu mode='custom' match='exact'>%" STR_FMT "</cpu>",
				    STR_ARG(str_slice(mode, from + 1, mode.n - end.n)));
	return ret_definition->n ? OK : ctx_no_memory(c);
}

static RESULT find_own(struct compute_host *h, struct ctx *c, struct str *ret_cpu, struct str *ret_machine)
{
	AUTO(xml_tree) t = NULL;
	struct str definition = STR_NONE;
	AUTO_TEXT text = virConnectGetDomainCapabilities(h->conn, NULL, ARCH, MACHINE, type_of(h->virt), 0);
	if (!text)
		return libvirt_fail(h, c, "asking host %s for its processors", h->name);
	TRY(xml_tree_parse(c, str_from(text), &t));
	*ret_machine = xml_tree_find(c, t, "/domainCapabilities/machine");
	if (!is_word(*ret_machine))
		*ret_machine = STR_NONE;
	TRY(write_host_model(c, t, &definition));
	return definition.n ? spell_out(h, c, definition, STR_NONE, ret_cpu) : OK;
}

/* Removes features that the host's own processor lacks; the vendor is the host's, which guests see. */
static RESULT find_named(struct compute_host *h, struct ctx *c, struct str own, struct str *ret_cpu)
{
	struct str definition = str_print(
		c->arena, "<cpu mode='custom' match='exact'><model fallback='forbid'>%s</model></cpu>",
		h->model);
	struct str named = STR_NONE;
	if (!processor_is_named(str_from(h->model)) || !is_word(str_from(h->model)) || !own.n)
		return OK;
	TRY(spell_out(h, c, definition, processor_vendor(own), &named));
	*ret_cpu = named.n ? processor_limit(c->arena, named, own) : STR_NONE;
	return OK;
}

static RESULT list_machines(struct compute_host *h, struct ctx *c, struct str *ret_machines)
{
	AUTO(xml_tree) t = NULL;
	struct strs all = {0};
	struct str list = STR_NONE;
	AUTO_TEXT text = virConnectGetCapabilities(h->conn);
	if (!text)
		return libvirt_fail(h, c, "asking host %s what it can run", h->name);
	TRY(xml_tree_parse(c, str_from(text), &t));
	TRY(xml_tree_list(c, t, "/capabilities/guest/arch[@name='" ARCH "']/machine", &all));
	for (size_t k = 0; k < all.count && k < FEATURES_MAX; k++)
		if (is_word(all.at[k]) && str_contains(all.at[k], STR("q35-")))
			list = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(list),
					 list.n ? " " : "", STR_ARG(all.at[k]));
	*ret_machines = list;
	return OK;
}

RESULT libvirt_need_processor(struct compute_host *h, struct ctx *c)
{
	struct str cpu = STR_NONE, named = STR_NONE, machine = STR_NONE, machines = STR_NONE;
	if (h->machines)
		return OK;
	TRY(libvirt_need_virt(h, c));
	TRY(find_own(h, c, &cpu, &machine));
	TRY(find_named(h, c, cpu, &named));
	TRY(list_machines(h, c, &machines));
	h->cpu = heap_copy_z(str_to_z(c->arena, cpu));
	h->named_cpu = heap_copy_z(str_to_z(c->arena, named));
	h->machine = heap_copy_z(str_to_z(c->arena, machine));
	h->machines = heap_copy_z(str_to_z(c->arena, machines));
	return h->cpu && h->named_cpu && h->machine && h->machines ? OK : ctx_no_memory(c);
}

/* ---- another host's ---- */

/* For a guest with the host's processor passed through. */
static RESULT check_passed_through(struct compute_host *h, struct ctx *c, struct compute_host *to)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT capabilities = virConnectGetCapabilities(h->conn);
	if (!capabilities)
		return libvirt_fail(h, c, "asking host %s for its processors", h->name);
	TRY(xml_tree_parse(c, str_from(capabilities), &t));
	struct str cpu = xml_tree_write(c, t, "/capabilities/host/cpu");
	int compared = cpu.p ? virConnectCompareCPU(to->conn, cpu.p, 0) : VIR_CPU_COMPARE_ERROR;
	if (compared == VIR_CPU_COMPARE_IDENTICAL)
		return OK;
	return ctx_fail(c, ERR_UNSUPPORTED,
			"the processors of host %s are not those of host %s, whose guest has all that they "
			"can do",
			to->name, h->name);
}

/* Newer QEMUs accept guests of older ones. An emulated processor without a model name is specific to one QEMU
 * version. */
static RESULT check_versions(struct compute_host *h, struct ctx *c, struct compute_host *to, bool needs_same)
{
	unsigned long here = 0, there = 0;
	if (virConnectGetVersion(h->conn, &here) != 0)
		return libvirt_fail(h, c, "asking host %s for QEMU's version", h->name);
	if (virConnectGetVersion(to->conn, &there) != 0)
		return libvirt_fail(to, c, "asking host %s for QEMU's version", to->name);
	if (there >= here && (!needs_same || there == here))
		return OK;
	return ctx_fail(c, ERR_UNSUPPORTED, "host %s has an older QEMU than host %s%s", to->name, h->name,
			needs_same ? ", or a newer one, which emulates others" : "");
}

static RESULT check_machine(struct ctx *c, struct compute_host *to, struct str machine)
{
	struct str rest = str_from(to->machines), word;
	while (str_split_next(&rest, ' ', &word))
		if (str_equal(word, machine))
			return OK;
	return ctx_fail(c, ERR_UNSUPPORTED, "host %s has no machine %" STR_FMT, to->name, STR_ARG(machine));
}

RESULT libvirt_check_processor(struct compute_host *h, struct ctx *c, virDomainPtr d, struct compute_host *to)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT text = virDomainGetXMLDesc(d, 0);
	bool is_emulated = h->virt != HOST_SEEN_VIRT_KVM;
	if (!text)
		return libvirt_fail(h, c, "reading the definition of a guest that is to be sent");
	TRY(libvirt_need_processor(to, c));
	TRY(xml_tree_parse(c, str_from(text), &t));
	struct str machine = xml_tree_find(c, t, "/domain/os/type/@machine");
	struct str cpu = xml_tree_write(c, t, "/domain/cpu");
	bool is_named = str_is(xml_tree_find(c, t, "/domain/cpu/@mode"), "custom");
	TRY(check_versions(h, c, to, is_emulated && !is_named));
	TRY(check_machine(c, to, machine));
	if (!is_named)
		return is_emulated ? OK : check_passed_through(h, c, to);
	int compared = virConnectCompareHypervisorCPU(to->conn, NULL, ARCH, str_to_z(c->arena, machine),
						      type_of(to->virt), str_to_z(c->arena, cpu), 0);
	if (compared == VIR_CPU_COMPARE_IDENTICAL || compared == VIR_CPU_COMPARE_SUPERSET)
		return OK;
	return ctx_fail(c, ERR_UNSUPPORTED, "the processors of host %s lack something that the guest has",
			to->name);
}
