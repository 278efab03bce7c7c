#include "http_peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BUCKETS = 4096, KEY_BYTES = 8 };

struct http_peer {
    uint64_t key;  // an IPv4 address, or the first half of an IPv6 one
    size_t count;
    struct http_peer *next;
};

struct http_peers {
    uint64_t secret;  // so that nobody can choose addresses that meet in one bucket
    struct http_peer *buckets[BUCKETS];
};

struct http_peers *http_peers_new(void)
{
    struct http_peers *peers = xcalloc(1, sizeof(*peers));

    random_bytes(&peers->secret, sizeof(peers->secret));
    peers->secret |= 1;
    return peers;
}

void http_peers_free(struct http_peers *peers)
{
    if (!peers)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (peers->buckets[i]) {
            struct http_peer *peer = peers->buckets[i];
            peers->buckets[i] = peer->next;
            free(peer);
        }
    }
    free(peers);
}

// IPv4 addresses inside IPv6 are the IPv4 address; no /64 in use begins with 32 zero
// bits.
static uint64_t key_of(const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    uint64_t key = 0;

    if (address->sa_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        uint32_t inner;
        memcpy(&inner, &v6->sin6_addr.s6_addr[12], sizeof(inner));
        return ntohl(inner);
    }
    memcpy(&key, v6->sin6_addr.s6_addr, KEY_BYTES);
    return key;
}

static struct http_peer **bucket_of(struct http_peers *peers, uint64_t key)
{
    uint64_t mixed = (key ^ (key >> 32) ^ peers->secret) * peers->secret;
    return &peers->buckets[mixed >> 52];  // the 12 bits that depend on all others
}

struct http_peer *http_peers_enter(struct http_peers *peers,
                                   const struct sockaddr *address, size_t max)
{
    uint64_t key = key_of(address);
    struct http_peer **bucket = bucket_of(peers, key);
    struct http_peer *peer = *bucket;

    while (peer && peer->key != key)
        peer = peer->next;
    if (peer && max > 0 && peer->count >= max)
        return NULL;
    if (!peer) {
        peer = xcalloc(1, sizeof(*peer));
        peer->key = key;
        peer->next = *bucket;
        *bucket = peer;
    }
    peer->count++;
    return peer;
}

void http_peers_leave(struct http_peers *peers, struct http_peer *peer)
{
    if (!peer || --peer->count > 0)
        return;
    struct http_peer **at = bucket_of(peers, peer->key);
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    free(peer);
}
