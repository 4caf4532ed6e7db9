/* SPDX-License-Identifier: Apache-2.0
 * Maps libvirt's errors to Dari's error kinds and messages. Code 1 (internal error) says nothing about the
 * outcome: its caller looks at the host again and decides from the state found. */
#include <stdarg.h>
#include <stdio.h>

#include "base/heap.h"
#include "drivers/libvirt/host.h"

static const struct {
	int code;
	enum err err;
} error_kinds[] = {
	{VIR_ERR_NO_MEMORY, ERR_NO_MEMORY},
	{VIR_ERR_NO_DOMAIN, ERR_NOT_FOUND},
	{VIR_ERR_NO_STORAGE_POOL, ERR_NOT_FOUND},
	{VIR_ERR_NO_STORAGE_VOL, ERR_NOT_FOUND},
	{VIR_ERR_DOM_EXIST, ERR_CONFLICT},
	{VIR_ERR_STORAGE_VOL_EXIST, ERR_EXISTS},
	{VIR_ERR_OPERATION_INVALID, ERR_STATE},
	{VIR_ERR_OPERATION_TIMEOUT, ERR_AGAIN}, /* another job holds the domain */
	{VIR_ERR_AUTH_FAILED, ERR_DENIED},
	{VIR_ERR_ACCESS_DENIED, ERR_DENIED},
	{VIR_ERR_OPERATION_DENIED, ERR_DENIED},
	{VIR_ERR_NO_SUPPORT, ERR_UNSUPPORTED},
	{VIR_ERR_CONFIG_UNSUPPORTED, ERR_UNSUPPORTED},
};

static enum err kind_of(int code)
{
	for (size_t k = 0; k < sizeof error_kinds / sizeof error_kinds[0]; k++)
		if (error_kinds[k].code == code)
			return error_kinds[k].err;
	return ERR_IO;
}

bool libvirt_error_is(int code)
{
	const virError *e = virGetLastError();
	return e && e->code == code;
}

/* The connection is dead: virConnectIsAlive() says so, or the error comes from libvirt's RPC layer. */
static bool is_connection_lost(struct compute_host *h, const virError *e)
{
	if (!h->conn)
		return false;
	return virConnectIsAlive(h->conn) != 1 || (e && e->domain == VIR_FROM_RPC);
}

RESULT libvirt_fail(struct compute_host *h, struct ctx *c, const char *what, ...)
{
	char words[256];
	va_list args;
	va_start(args, what);
	vsnprintf(words, sizeof words, what, args);
	va_end(args);

	virErrorPtr e = virSaveLastError(); /* virConnectIsAlive() clears it */
	struct str said = e && e->message ? str_from(e->message) : STR("no reason given");
	struct result r;
	if (is_connection_lost(h, e)) {
		atomic_store(&h->is_gone, true);
		r = ctx_fail(c, ERR_GONE, "host %s is lost: %s: %" STR_FMT, h->name, words, STR_ARG(said));
	} else {
		r = ctx_fail(c, e ? kind_of(e->code) : ERR_IO, "%s: %" STR_FMT, words, STR_ARG(said));
	}
	virFreeError(e);
	return r;
}

RESULT libvirt_check_alive(struct compute_host *h, struct ctx *c)
{
	if (atomic_load(&h->is_gone) || virConnectIsAlive(h->conn) != 1)
		return ctx_fail(c, ERR_GONE, "the connection to host %s is lost", h->name);
	return ctx_check_may_act(c);
}

void libvirt_autodrop_domain(virDomainPtr *d)
{
	if (*d)
		virDomainFree(*d);
	*d = NULL;
}

void libvirt_autodrop_pool(virStoragePoolPtr *p)
{
	if (*p)
		virStoragePoolFree(*p);
	*p = NULL;
}

void libvirt_autodrop_volume(virStorageVolPtr *v)
{
	if (*v)
		virStorageVolFree(*v);
	*v = NULL;
}

void libvirt_autofree_text(char **text)
{
	heap_free(*text);
	*text = NULL;
}
