/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of services; see app/known.h. Ports are those of the IANA registry, or of the server. */
#include "app/known.h"

#include <sonde/run.h>

#include <string.h>

/* Where a port has several names, the first is the one that it is reported by. */
static const struct known_service services[] = {
    {"ftp-data", 20, KNOWN_TCP, NULL},
    {"ftp", 21, KNOWN_TCP, NULL},
    {"ssh", 22, KNOWN_TCP, NULL},
    {"sftp", 22, KNOWN_TCP, NULL},
    {"telnet", 23, KNOWN_TCP, NULL},
    {"smtp", 25, KNOWN_TCP, NULL},
    {"dns", 53, KNOWN_TCP | KNOWN_UDP, NULL},
    {"domain", 53, KNOWN_TCP | KNOWN_UDP, NULL},
    {"tftp", 69, KNOWN_UDP, NULL},
    {"http", 80, KNOWN_TCP, NULL},
    {"ws", 80, KNOWN_TCP, NULL},
    {"kerberos", 88, KNOWN_TCP | KNOWN_UDP, NULL},
    {"pop3", 110, KNOWN_TCP, NULL},
    {"ntp", 123, KNOWN_UDP, NULL},
    {"netbios-ns", 137, KNOWN_UDP, NULL},
    {"imap", 143, KNOWN_TCP, NULL},
    {"snmp", 161, KNOWN_UDP, NULL},
    {"bgp", 179, KNOWN_TCP, NULL},
    {"ldap", 389, KNOWN_TCP, NULL},
    {"https", 443, KNOWN_TCP, NULL},
    {"wss", 443, KNOWN_TCP, NULL},
    {"quic", 443, KNOWN_UDP, NULL},
    {"smb", 445, KNOWN_TCP, NULL},
    {"smtps", 465, KNOWN_TCP, NULL},
    {"isakmp", 500, KNOWN_UDP, NULL},
    {"ike", 500, KNOWN_UDP, NULL},
    {"syslog", 514, KNOWN_UDP, NULL},
    {"rtsp", 554, KNOWN_TCP, NULL},
    {"submission", 587, KNOWN_TCP, NULL},
    {"ldaps", 636, KNOWN_TCP, NULL},
    {"domain-s", 853, KNOWN_TCP, NULL},
    {"dot", 853, KNOWN_TCP, NULL},
    {"rsync", 873, KNOWN_TCP, NULL},
    {"ftps", 990, KNOWN_TCP, NULL},
    {"imaps", 993, KNOWN_TCP, NULL},
    {"pop3s", 995, KNOWN_TCP, NULL},
    {"openvpn", 1194, KNOWN_UDP, NULL},
    {"mssql", 1433, KNOWN_TCP, NULL},
    {"sqlserver", 1433, KNOWN_TCP, NULL},
    {"oracle", 1521, KNOWN_TCP, NULL},
    {"l2tp", 1701, KNOWN_UDP, NULL},
    {"radius", 1812, KNOWN_UDP, NULL},
    {"radius-acct", 1813, KNOWN_UDP, NULL},
    {"mqtt", 1883, KNOWN_TCP, NULL},
    {"nfs", 2049, KNOWN_TCP, NULL},
    {"etcd", 2379, KNOWN_TCP, NULL},
    {"m2ua", 2904, KNOWN_SCTP, NULL},
    {"m3ua", 2905, KNOWN_SCTP, NULL},
    {"mysql", 3306, KNOWN_TCP, NULL},
    {"mariadb", 3306, KNOWN_TCP, NULL},
    {"rdp", 3389, KNOWN_TCP, NULL},
    {"rdp-udp", 3389, KNOWN_UDP, NULL},
    {"rdgw", 3391, KNOWN_UDP, NULL},
    {"stun", 3478, KNOWN_UDP, NULL},
    {"m2pa", 3565, KNOWN_SCTP, NULL},
    {"diameter", 3868, KNOWN_TCP, NULL},
    {"nats", 4222, KNOWN_TCP, NULL},
    {"dtls", 4433, KNOWN_UDP, NULL},
    {"ike-nat", 4500, KNOWN_UDP, NULL},
    {"sip", 5060, KNOWN_UDP, NULL},
    {"sips", 5061, KNOWN_TCP, NULL},
    {"mdns", 5353, KNOWN_UDP, NULL},
    {"llmnr", 5355, KNOWN_UDP, NULL},
    {"postgres", 5432, KNOWN_TCP, NULL},
    {"postgresql", 5432, KNOWN_TCP, NULL},
    {"amqps", 5671, KNOWN_TCP, NULL},
    {"amqp", 5672, KNOWN_TCP, NULL},
    {"coap", 5683, KNOWN_UDP, NULL},
    {"coaps", 5684, KNOWN_UDP, NULL},
    {"vnc", 5900, KNOWN_TCP, NULL},
    {"redis", 6379, KNOWN_TCP, NULL},
    {"rediss", 6379, KNOWN_TCP, NULL},
    {"http-alt", 8080, KNOWN_TCP, NULL},
    {"mqtts", 8883, KNOWN_TCP, NULL},
    {"cassandra", 9042, KNOWN_TCP, NULL},
    {"kafka", 9092, KNOWN_TCP, NULL},
    {"git", 9418, KNOWN_TCP, NULL},
    {"memcached", 11211, KNOWN_TCP | KNOWN_UDP, NULL},
    {"sua", 14001, KNOWN_SCTP, NULL},
    {"mongodb", 27017, KNOWN_TCP, NULL},
    {"s1ap", 36412, KNOWN_SCTP, NULL},
    {"x2ap", 36422, KNOWN_SCTP, NULL},
    {"ngap", 38412, KNOWN_SCTP, NULL},
    {"xnap", 38422, KNOWN_SCTP, NULL},
    {"wireguard", 51820, KNOWN_UDP, NULL},
    {"snmp2c", 161, KNOWN_UDP, "snmp2c"},
    {"anyconnect", 443, KNOWN_UDP, "anyconnect"},
};
enum { SERVICE_COUNT = sizeof services / sizeof *services };

static const struct preset {
    const char *name;
    const char *services;
} presets[] = {
    {"common", "20,21,22,25,53/tcp,53/udp,80,123/udp,179,443,500/udp,587,3389"},
    {"web", "80,443,443/udp"},
    {"mail", "25,465,587,993"},
    {"db", "1433,3306,5432,6379,27017"},
    {"remote", "22,3389,5900"},
    {"dns", "53/udp,53,853"},
    {"ad", "53/udp,88,389,445,636,3268"},
    {"k8s", "6443,10250,2379"},
};
enum { PRESET_COUNT = sizeof presets / sizeof *presets };

/* Can it be asked for by its name? The user's own question cannot. */
static bool has_name(const struct sonde_payload *payload)
{
    return strcmp(payload->name, "own") != 0;
}

/* Find a payload that can be asked for. @return false if there is none of that name. */
static bool find_payload(const char *name, struct sonde_payload *ret_payload)
{
    struct sonde_payload payload;
    for (size_t i = 0; sonde_payload_at(i, &payload); i++) {
        if (strcmp(payload.name, name) == 0 && has_name(&payload)) {
            *ret_payload = payload;
            return true;
        }
    }
    return false;
}

bool known_find(const char *name, struct known_service *ret_service)
{
    struct sonde_payload payload;
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (strcmp(services[i].name, name) == 0) {
            *ret_service = services[i];
            return true;
        }
    }
    if (!find_payload(name, &payload) || payload.ports[0] == 0)
        return false;
    *ret_service = (struct known_service){payload.name, payload.ports[0], KNOWN_UDP, NULL};
    return true;
}

const char *known_name(uint16_t port, unsigned protocol)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (services[i].port == port && (services[i].protocols & protocol) != 0)
            return services[i].name;
    }
    return "";
}

const char *known_preset(const char *name)
{
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        if (strcmp(presets[i].name, name) == 0)
            return presets[i].services;
    }
    return NULL;
}

const char *known_payload_of(uint16_t port)
{
    struct sonde_payload payload;
    for (size_t i = 0; sonde_payload_at(i, &payload); i++) {
        for (size_t k = 0; k < sizeof payload.ports / sizeof *payload.ports; k++) {
            if (payload.ports[k] == port && port != 0)
                return payload.name;
        }
    }
    return NULL;
}

const char *known_payload(const char *name)
{
    struct sonde_payload payload;
    struct known_service service;
    if (find_payload(name, &payload))
        return payload.name;
    if (!known_find(name, &service) || (service.protocols & KNOWN_UDP) == 0)
        return NULL;
    return known_payload_of(service.port);
}

void known_consider_services(struct nearest *nearest)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        nearest_consider(nearest, services[i].name);
    known_consider_payloads(nearest);
}

void known_consider_presets(struct nearest *nearest)
{
    for (size_t i = 0; i < PRESET_COUNT; i++)
        nearest_consider(nearest, presets[i].name);
}

void known_consider_payloads(struct nearest *nearest)
{
    struct sonde_payload payload;
    for (size_t i = 0; sonde_payload_at(i, &payload); i++) {
        if (has_name(&payload))
            nearest_consider(nearest, payload.name);
    }
}

/* What UDP ports are asked. */
static void print_payloads(struct text *text)
{
    struct sonde_payload payload;
    text_add(text, "\nUDP ports are asked:\n");
    for (size_t i = 0; sonde_payload_at(i, &payload); i++) {
        struct text ports = {0};
        if (!has_name(&payload))
            continue;
        for (size_t k = 0; k < sizeof payload.ports / sizeof *payload.ports; k++) {
            if (payload.ports[k] != 0)
                text_addf(&ports, k == 0 ? "%u" : ",%u", payload.ports[k]);
        }
        text_addf(text, "  %-11s %-15s %s\n", payload.name, ports.data != NULL ? ports.data : "",
                  payload.asks[0]);
        for (size_t k = 1; k < SONDE_QUESTIONS_MAX && payload.asks[k] != NULL; k++)
            text_addf(text, "  %-11s %-15s then: %s\n", "", "", payload.asks[k]);
        if (payload.silence != NULL)
            text_addf(text, "  %-11s %-15s (%s)\n", "", "", payload.silence);
        text->failed |= ports.failed;
        text_deinit(&ports);
    }
}

void known_print(struct text *text)
{
    text_add(text, "Presets:\n");
    for (size_t i = 0; i < PRESET_COUNT; i++)
        text_addf(text, "  @%-10s %s\n", presets[i].name, presets[i].services);
    text_add(text, "\nNames:\n");
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        const struct known_service *known = &services[i];
        text_addf(text, "  %-11s", known->name);
        if ((known->protocols & KNOWN_UDP) != 0)
            text_addf(text, " %u/udp", known->port);
        if ((known->protocols & KNOWN_TCP) != 0)
            text_addf(text, " %u/tcp", known->port);
        if ((known->protocols & KNOWN_SCTP) != 0)
            text_addf(text, " %u/sctp", known->port);
        text_add(text, "\n");
    }
    text_add(text, "\nOther names are looked up in /etc/services.\n");
    print_payloads(text);
    text_add(text,
             "These names, too, stand for the service, or behind a port: :ikev2, :5353/dns.\n");
}
