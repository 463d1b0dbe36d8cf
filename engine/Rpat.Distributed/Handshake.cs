using System.Security.Cryptography;

namespace Rpat.Distributed;

/// <summary>
/// How two processes prove to each other that they have the same join token, which itself is never sent: each answers a random nonce of the
/// other with its HMAC-SHA256 (FIPS 198-1) under the token. The process that comes proves first, and says who it is when both have proved.
/// </summary>
/// <remarks>
/// <code>
/// comes → waits   RPATTEAM, protocol, nonce of 32 bytes
/// waits → comes   nonce of 32 bytes
/// comes → waits   HMAC("join", both nonces)
/// waits → comes   0 where that is wrong; else 1, HMAC("host", both nonces)
/// comes → waits   hello
/// </code>
/// </remarks>
internal static class Handshake
{
    private const byte Protocol = 2, Wrong = 0, Right = 1;
    private const int NonceBytes = 32, ProofBytes = 32;

    private static readonly byte[] _opening = [.. "RPATTEAM"u8, Protocol];

    /// <summary>The side that comes: proves the token, has the other side prove it, and sends the hello.</summary>
    /// <exception cref="StrangerException">The other side refuses the proof, or has none.</exception>
    /// <exception cref="LinkException">The connection broke, or the link's time is up.</exception>
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

    /// <summary>The side that waits: hears a hello from whoever proves the token, and tells nothing to anybody else.</summary>
    /// <exception cref="StrangerException">Whoever came is no process of this team.</exception>
    /// <exception cref="LinkException">The connection broke, or the link's time is up.</exception>
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

    // The role stands in front, so that no side can be answered with its own words.
    private static byte[] Proof(string role, byte[] nonces, string token) =>
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), (byte[])[.. Encoding.ASCII.GetBytes(role), .. nonces]);
}

/// <summary>The other side of a new connection is no process of this team.</summary>
internal sealed class StrangerException(string why) : Exception(why);
