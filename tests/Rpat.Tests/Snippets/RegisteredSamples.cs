using System.Runtime.CompilerServices;
using Rpat.Engine;
using Rpat.Samples.Extensions;

namespace Rpat.Tests.Snippets;

/// <summary>What the samples add is registered before any test, so that every test of all methods or networks has it too.</summary>
internal static class RegisteredSamples
{
    [ModuleInitializer]
    public static void Register() => Catalog.Register(typeof(FocalAt).Assembly);
}
