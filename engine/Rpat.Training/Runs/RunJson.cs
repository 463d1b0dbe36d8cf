using System.Text.Encodings.Web;
using System.Text.Json.Serialization;

namespace Rpat.Training.Runs;

/// <summary>
/// How the JSON files of a run folder are written, and read without trusting them: a missing value, or a null where none is allowed, is an
/// error.
/// </summary>
internal static class RunJson
{
    /// <summary>The format.</summary>
    public static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };
}
