using System.Runtime.CompilerServices;
using Rpat.Robust.Methods;

namespace Rpat.Tests.Snippets;

/// <summary>The method of the page on adding one is registered before any test, so that every test of all methods has it too.</summary>
internal static class RegisteredMethods
{
    [ModuleInitializer]
    public static void Register() => MethodCatalog.Register(typeof(RegisteredMethods).Assembly);
}
