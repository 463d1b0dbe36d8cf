using System.Security.Cryptography;

namespace Rpat.Distributed.Tcp;

/// <summary>
/// How two processes prove to each other that they have the same join token, which itself is never sent: each answers a random nonce of the
/// other with its HMAC-SHA256 (FIPS 198-1) under the token. The connecting process proves first, and sends its join request when both have
/// proved.
/// </summary>
/// <remarks>
/// <code>
/// client → server   RPATTEAM, protocol, nonce of 32 bytes
/// server → client   nonce of 32 bytes
/// client → server   HMAC("join", both nonces)
/// server → client   0 if that is wrong; else 1, HMAC("host", both nonces)
/// client → server   join request
/// </code>
/// </remarks>
internal static class Handshake
{
    private const byte Protocol = 2, Wrong = 0, Right = 1;
    private const int NonceBytes = 32, ProofBytes = 32;

    private static readonly byte[] _opening = [.. "RPATTEAM"u8, Protocol];

    /// <summary>The connecting side: proves the token, has the other side prove it, and sends the join request.</summary>
    /// <exception cref="StrangerException">The other side refuses the proof, or its own proof is wrong.</exception>
    /// <exception cref="LinkException">The connection broke or timed out.</exception>
    public static void Enter(Connection link, in JoinRequest hello, string token)
    {
        byte[] nonces = new byte[2 * NonceBytes];
        RandomNumberGenerator.Fill(nonces.AsSpan(0, NonceBytes));
        link.SendAll([.. _opening, .. nonces.AsSpan(0, NonceBytes)]);
        link.ReceiveAll(nonces.AsSpan(NonceBytes));
        link.SendAll(Proof("join", nonces, token));
        if (Receive(link, 1)[0] == Wrong) throw new StrangerException("has another join token");
        if (!IsProof(Receive(link, ProofBytes), "host", nonces, token)) throw new StrangerException("does not know the join token");
        hello.Send(link);
    }

    /// <summary>The accepting side: reads a join request from a peer that proves the token, and reveals nothing to any other.</summary>
    /// <exception cref="StrangerException">The peer is not a process of this group.</exception>
    /// <exception cref="LinkException">The connection broke or timed out.</exception>
    public static JoinRequest Answer(Connection link, string token)
    {
        byte[] opening = Receive(link, _opening.Length + NonceBytes);
        if (!opening.AsSpan().StartsWith(_opening)) throw new StrangerException("does not speak as this program does");
        byte[] nonces = [.. opening[_opening.Length..], .. RandomNumberGenerator.GetBytes(NonceBytes)];
        link.SendAll(nonces.AsSpan(NonceBytes));
        bool right = IsProof(Receive(link, ProofBytes), "join", nonces, token);
        link.SendAll(right ? [Right, .. Proof("host", nonces, token)] : [Wrong]);
        return right ? JoinRequest.Receive(link) : throw new StrangerException("has another join token or none");
    }

    private static byte[] Receive(Connection link, int count)
    {
        byte[] bytes = new byte[count];
        link.ReceiveAll(bytes);
        return bytes;
    }

    private static bool IsProof(byte[] proof, string role, byte[] nonces, string token) =>
        CryptographicOperations.FixedTimeEquals(proof, Proof(role, nonces, token));

    // The role comes first, so that no side's own proof can be sent back to it.
    private static byte[] Proof(string role, byte[] nonces, string token) =>
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), (byte[])[.. Encoding.ASCII.GetBytes(role), .. nonces]);
}

/// <summary>The other side of a new connection is not a process of this group.</summary>
internal sealed class StrangerException(string why) : Exception(why);
